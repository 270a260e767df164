"""Whom deliveries are about: found under any name that their source has for them, or written down as new."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from changke.facts.customers.models import Customer
from changke.facts.customers.services.meet import (
    IdentifierTaken,
    Meeting,
    Reference,
    add_identifiers,
    find,
    find_or_create,
    reference,
)
from changke.facts.customers.services.names import NewName, write
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE


@dataclass(frozen=True)
class Someone:
    """A person of a delivery, in every name that the source has for her."""

    names: Sequence[Reference]
    name: str
    store: Store | None
    source: str
    day: date

    def meeting(self) -> Meeting:
        return Meeting(self.names[0], self.store, self.day, self.name, self.source)


def names_of(told: Sequence[Mapping[str, str]]) -> list[Reference]:
    return [_reference(one) for one in told]


def met(people: Sequence[Someone], *, now: datetime) -> list[int]:
    """Ids of all of them, in the order given. Two who share a name are one. What finds another goes on finding that
    other: a phone or an address is kept as hers too, a number is not."""
    if not people:
        return []
    known = find(list(dict.fromkeys(name for one in people for name in one.names)), scope=CHAIN_WIDE)
    whose: dict[Reference, int | Reference] = dict(known)
    strangers: dict[Reference, Meeting] = {}
    hers: list[int | Reference] = []
    for one in people:
        her = next((whose[name] for name in one.names if name in whose), one.names[0])
        if isinstance(her, Reference):
            strangers.setdefault(her, one.meeting())
        for name in one.names:
            whose.setdefault(name, her)
        hers.append(her)
    created = find_or_create(list(strangers.values()), scope=CHAIN_WIDE, now=now)
    ids = [created[her] if isinstance(her, Reference) else her for her in hers]
    _add_names(
        {
            name: created[her] if isinstance(her, Reference) else her
            for name, her in whose.items()
            if name not in known and name not in strangers
        }
    )
    for one, pk in zip(people, ids, strict=True):
        for name in one.names:
            if known.get(name, pk) != pk:
                with suppress(IdentifierTaken):
                    add_identifiers(Customer.objects.get(pk=pk), [name], share=True)
    return ids


def _add_names(more: Mapping[Reference, int]) -> None:
    """Further names, which nobody had a moment ago. Who has one now keeps it."""
    if not more:
        return
    try:
        with transaction.atomic():
            write([NewName(her, name.kind, name.value, name.source) for name, her in sorted(more.items(), key=_order)])
    except IntegrityError:
        for name, her in more.items():
            with suppress(IdentifierTaken):
                add_identifiers(Customer.objects.get(pk=her), [name])


def _order(named: tuple[Reference, int]) -> tuple[str, str, str]:
    """That of the unique index: two who write the same names wait for each other instead of dying."""
    one = named[0]
    return one.kind, one.source, one.value


def _reference(named: Mapping[str, str]) -> Reference:
    if "external_id" in named:
        return reference("external", named["external_id"], named["source"])
    kind, value = next(iter(named.items()))
    return reference(kind, value)
