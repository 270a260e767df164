"""Whom deliveries are about: found under any name that their source has for them, or written down as new."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from changke.facts.customers.models import Customer, Identifier, IdentifierKind
from changke.facts.customers.queries import families_of
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
    """Numbers first: they are believed before a phone, which a family may share."""
    return sorted((_reference(one) for one in told), key=lambda name: name.kind != IdentifierKind.EXTERNAL)


def met(people: Sequence[Someone], *, now: datetime) -> list[int]:
    """Ids of all of them, in the order given. Two who share a name are one, unless the source has two numbers for them:
    a mother and her daughter order with one phone. What finds another goes on finding that other: a phone or an address
    is kept as hers too, a number is not."""
    if not people:
        return []
    known = find(list(dict.fromkeys(name for one in people for name in one.names)), scope=CHAIN_WIDE)
    whose: dict[Reference, int | Reference] = dict(known)
    numbers = _numbers_of(people, known)
    strangers: dict[Reference, Meeting] = {}
    hers: list[int | Reference] = []
    for one in people:
        may = (whose[name] for name in one.names if name in whose)
        her = next((each for each in may if not _another(one, numbers.get(each, ()), whose)), one.names[0])
        if isinstance(her, Reference):
            strangers.setdefault(her, one.meeting())
        for name in one.names:
            if whose.setdefault(name, her) == her and name.kind == IdentifierKind.EXTERNAL:
                numbers.setdefault(her, set()).add(name)
        hers.append(her)
    created = find_or_create(list(strangers.values()), scope=CHAIN_WIDE, now=now)
    is_now = {name: created[her] if isinstance(her, Reference) else her for name, her in whose.items()}
    ids = [created[her] if isinstance(her, Reference) else her for her in hers]
    _add_names({name: her for name, her in is_now.items() if name not in known and name not in strangers})
    for one, pk in zip(people, ids, strict=True):
        for name in one.names:
            if is_now[name] != pk:
                with suppress(IdentifierTaken):
                    add_identifiers(Customer.objects.get(pk=pk), [name], share=True)
    return ids


def _numbers_of(people: Sequence[Someone], known: Mapping[Reference, int]) -> dict[int | Reference, set[Reference]]:
    """The numbers that these sources have for whom is known, on all records of hers."""
    sources = {name.source for one in people for name in one.names if name.kind == IdentifierKind.EXTERNAL}
    families = families_of(set(known.values())) if sources else {}
    rows = Identifier.objects.filter(
        customer__in={record for family in families.values() for record in family},
        kind=IdentifierKind.EXTERNAL,
        source__in=sources,
    )
    by_record: dict[int, set[Reference]] = {}
    for record, source, value in rows.values_list("customer_id", "source", "value"):
        by_record.setdefault(record, set()).add(Reference(IdentifierKind.EXTERNAL, value or "", source))
    return {
        pk: {number for record in family for number in by_record.get(record, ())} for pk, family in families.items()
    }


def _another(one: Someone, numbers: Collection[Reference], whose: Mapping[Reference, object]) -> bool:
    """Whether this person comes with a number that nobody has, where the one who was found has another of the same
    source (docs/algorithms/identity.md)."""
    new = [name for name in one.names if name.kind == IdentifierKind.EXTERNAL and name not in whose]
    return any(number.source == name.source for name in new for number in numbers)


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
