"""Searching for pairs, and deciding about one."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Q

from changke.facts.customers.services.merge import merge
from changke.facts.duplicates import rules
from changke.facts.duplicates.models import Duplicate, State
from changke.facts.duplicates.queries import alike, parted, standing
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import DomainError, Invalid, NotFound
from changke.foundation.organisation.scope import CHAIN_WIDE

T = TypeVar("T")

AT_ONCE = 2_000
"""Pairs written in one transaction: well under a second."""


class DecidedAlready(DomainError):
    code, status = "decided_already", 409
    message = "Somebody decided about this pair already. Look again."


@dataclass(frozen=True)
class Searched:
    """What one search came to. `pairs` are proposed now; of these `new` were not before, and `gone` are no longer."""

    pairs: int
    new: int
    gone: int


# A pair that somebody decides about while we look stays as it was decided.
KEEP = """
INSERT INTO facts_duplicate AS known (one_id, other_id, rule, score, why, found_at, state)
SELECT one, other, rule, score, string_to_array(why, ' '), %s, 'proposed'
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::int[], %s::text[]) AS found (one, other, rule, score, why)
ON CONFLICT (one_id, other_id) DO UPDATE SET rule = EXCLUDED.rule, score = EXCLUDED.score, why = EXCLUDED.why
WHERE known.state = 'proposed'
"""


@seeing(CHAIN_WIDE)
def find_duplicates(*, now: dt.datetime) -> Searched:
    """Look at everybody. Safe to repeat, at any moment: what was decided stays decided."""
    for ids in _some(parted()):  # whoever separates a pair says that they are two
        Duplicate.objects.filter(pk__in=ids, state=State.MERGED).update(state=State.NOT_SAME)
    found = {
        pair: (rule, held.signals) for pair, held in alike().items() if (rule := rules.judge(held.signals, held.chance))
    }
    before = {pair: (pk, said) for pk, pair, said in standing()}
    written: list[tuple[int, int, str, int, str]] = []
    for (one, other), (rule, signals) in sorted(found.items()):
        why = rules.in_order(signals)
        if (one, other) not in before or before[one, other][1] != (rule.key, rule.score, why):
            written.append((one, other, rule.key, rule.score, " ".join(why)))
    for some in _some(written):
        with transaction.atomic(), connection.cursor() as sql:
            sql.execute(KEEP, [now, *map(list, zip(*some, strict=True))])
    gone = [pk for pair, (pk, _) in before.items() if pair not in found]
    for ids in _some(gone):
        Duplicate.objects.filter(pk__in=ids, state=State.PROPOSED).delete()
    new = sum(1 for pair in found if pair not in before)
    return Searched(len(found), new, len(gone))


def _some(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for place in range(0, len(rows), AT_ONCE):
        yield rows[place : place + AT_ONCE]


@transaction.atomic
def merge_pair(pair_id: int, *, into_id: int, by: By = HOUSE, now: dt.datetime) -> Duplicate:
    """They are one person, read as `into_id` from now on. Whose customers they are the caller has asked. Safe to
    repeat. A pair that was called two persons may be merged after all."""
    pair = _locked(pair_id)
    if into_id not in (pair.one_id, pair.other_id):
        raise Invalid(field="into_id", reason="choose one of the two")
    if pair.state == State.MERGED and _one_person(pair):
        return pair
    merged_id = pair.other_id if into_id == pair.one_id else pair.one_id
    merge(merged_id, into_id, why=pair.rule, by=by, now=now)
    return _decide(pair, State.MERGED, by=by, now=now)


@transaction.atomic
def not_same(pair_id: int, *, by: By = HOUSE, now: dt.datetime) -> Duplicate:
    """They are two persons: never proposed again. Safe to repeat."""
    pair = _locked(pair_id)
    if pair.state == State.NOT_SAME:
        return pair
    if _one_person(pair):
        raise DecidedAlready
    pair = _decide(pair, State.NOT_SAME, by=by, now=now)
    for customer_id, other in ((pair.one_id, pair.other_id), (pair.other_id, pair.one_id)):
        record(
            by=by,
            action="customer.not_same",
            subject=f"customer:{customer_id}",
            customer_id=customer_id,
            codes=("with", "rule"),
            after={"with": other, "rule": pair.rule},
            now=now,
        )
    return pair


@transaction.atomic
def ask_again(pair_id: int, *, by: By = HOUSE, now: dt.datetime) -> Duplicate:
    """Whoever called them two persons was wrong, or is not sure: the pair waits again. Safe to repeat."""
    pair = _locked(pair_id)
    if pair.state == State.PROPOSED:
        return pair
    if pair.state == State.MERGED or _one_person(pair):
        raise DecidedAlready
    pair = _decide(pair, State.PROPOSED, by=by, now=now)
    for customer_id, other in ((pair.one_id, pair.other_id), (pair.other_id, pair.one_id)):
        record(
            by=by,
            action="customer.asked_again",
            subject=f"customer:{customer_id}",
            customer_id=customer_id,
            codes=("with", "rule"),
            after={"with": other, "rule": pair.rule},
            now=now,
        )
    return pair


def erase_duplicates(customer_ids: Sequence[int]) -> int:
    """With whom she was compared goes with her."""
    return Duplicate.objects.filter(Q(one__in=customer_ids) | Q(other__in=customer_ids)).delete()[0]


def _locked(pair_id: int) -> Duplicate:
    pair = Duplicate.objects.select_for_update(of=("self",)).filter(pk=pair_id).first()
    if pair is None:
        raise NotFound
    return pair


def _one_person(pair: Duplicate) -> bool:
    return (pair.one.merged_into_id or pair.one_id) == (pair.other.merged_into_id or pair.other_id)


def _decide(pair: Duplicate, state: State, *, by: By, now: dt.datetime) -> Duplicate:
    pair.state, pair.decided_at = state, now
    pair.decided_by_id = by.id if by.kind == "staff" else None
    pair.save(update_fields=["state", "decided_at", "decided_by"])
    return pair
