"""Addresses that nobody shall use, known by their HMAC alone (docs/algorithms/consent.md): the list outlives her."""

import datetime as dt
from collections.abc import Iterable, Sequence

from changke.facts.customers import rules
from changke.facts.customers.models import Identifier
from changke.facts.customers.queries import named, values_of
from changke.foundation.persons.models import Suppression
from changke.foundation.persons.queries import vault


def suppress(customer_ids: Sequence[int], *, why: str, now: dt.datetime) -> int:
    """Put every address of hers on the list; how many."""
    hers = list(Identifier.objects.filter(customer_id__in=customer_ids).exclude(kind__in=rules.IN_CLEAR))
    values = values_of(hers)
    safe = vault()
    rows = [
        Suppression(
            kind=one.kind, blind=safe.blind(one.kind, values[one.pk]), key_version=safe.current, since=now, why=why
        )
        for one in hers
        if values[one.pk]
    ]
    Suppression.objects.bulk_create(rows, ignore_conflicts=True)
    _mark([(one.kind, values[one.pk]) for one in hers if values[one.pk]], suppressed=True)
    return len(rows)


def lift(customer_ids: Sequence[int], kind: str) -> int:
    """She came herself and wants to hear from us there: the addresses of this kind go off the list. How many."""
    marked = list(Identifier.objects.filter(customer_id__in=customer_ids, kind=kind, suppressed=True))
    for one, value in values_of(marked).items():
        for version, blind in _every_blind(kind, value):
            Suppression.objects.filter(kind=kind, key_version=version, blind=blind).delete()
        Identifier.objects.filter(pk=one).update(suppressed=False)
        _mark([(kind, value)], suppressed=False)
    return len(marked)


def _mark(names: Iterable[tuple[str, str]], *, suppressed: bool) -> None:
    """An address is on the list for everybody who uses it."""
    for kind, value in names:
        Identifier.objects.filter(named(kind, value)).update(suppressed=suppressed)


def suppressed_among(names: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of kinds and values those on the list. Usually the list has few entries or none: then nothing is computed."""
    versions = _versions()
    if not versions:
        return set()
    asked = {
        (kind, version, blind): (kind, value)
        for kind, value in names
        if kind not in rules.IN_CLEAR
        for version, blind in _every_blind(kind, value, versions)
    }
    rows = Suppression.objects.filter(blind__in=[blind for _, _, blind in asked])
    found = rows.values_list("kind", "key_version", "blind")
    return {asked[row] for row in found if row in asked}


def _versions() -> list[int]:
    return list(Suppression.objects.order_by().values_list("key_version", flat=True).distinct())


def _every_blind(kind: str, value: str, versions: Sequence[int] | None = None) -> list[tuple[int, int]]:
    """Under every version that the list was written with: addresses of erased persons cannot be computed again."""
    safe = vault()
    return [(version, safe.blind(kind, value, version)) for version in (versions or _versions())]
