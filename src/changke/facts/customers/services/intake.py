"""Persons by the thousand: matched by external id, card, WeCom id, union id, phone and e-mail, created where nobody is
found.

A phone that belongs to somebody with another external id of the same source is shared (a mother pays for her
daughter): the new external id is a person of her own, keeps the phone too, and goes on not being found by it.

A card number stands in clear and is one person's: whose row says the card of another is refused (docs/decisions/0071).

How a candidate is put down is in `intake_candidates`, whom it means in `intake_match`, what it changes in
`intake_changes`.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection, transaction

from changke.facts.customers import rules
from changke.facts.customers.services.intake_candidates import NUMBERS, SEALED, TEXTS, Candidate
from changke.facts.customers.services.intake_changes import (
    ANOTHER_PERSON,
    EARLIER,
    FILL,
    IDENTIFY_CARD,
    IDENTIFY_EXTERNAL,
    INSERT,
    NUMBER,
    UPDATE,
    unknown_names,
)
from changke.facts.customers.services.intake_match import CARD_TAKEN, GROUPS, Matched, match
from changke.facts.customers.services.names import NewName, write_unknown
from changke.foundation.persons.queries import vault

__all__ = ["ANOTHER", "CARD_TAKEN", "GROUPS", "Candidate", "Met", "Taken", "compare", "take_in", "with_cards_of_others"]

Decide = Callable[[str], str]
"""Group of known customers -> update, merge (fill what is empty), skip, refuse or, of `phone_other_name`, another: a
person of her own with the same phone. `docs/algorithms/import.md`."""

ANOTHER = "another"


class Taken(NamedTuple):
    """What became of one candidate: created, updated, skipped, left (skipped on purpose) or the group that was refused;
    and what was decided of her, where she was known before."""

    customer_id: int
    outcome: str
    decision: str = ""


@transaction.atomic
def take_in(
    candidates: Iterable[Candidate],
    *,
    source: str,
    batch_id: int,
    now: dt.datetime,
    decide: Decide,
    by_name: bool = False,
) -> dict[int, Taken]:
    """By `cand`. The candidates are different persons as far as the file knows. `by_name`: of several who share a
    phone, the one of the row's name is meant.

    `update`: the file's fields replace those of a known customer. `merge`: they only fill what is empty, as of a
    purchase file that happens to carry names. `skip` and `refuse` leave her as she is, identifiers too.
    """
    known_as: dict[str, Any] = {"source": source, "batch": batch_id, "now": now}
    candidates = list(candidates)
    with connection.cursor() as cursor:
        matched = match(cursor, candidates, source=source, batch_id=batch_id, by_name=by_name)
        groups = matched.groups
        decided = {group: "refuse" if group == CARD_TAKEN else decide(group) for group in set(groups.values())}
        for group, decision in decided.items():
            cands = [cand for cand, its in groups.items() if its == group]
            cursor.execute("UPDATE intake_customer SET decision = %s WHERE cand = ANY(%s)", [decision, cands])
        if matched.anybody and by_name and decide("phone_other_name") == ANOTHER:
            cursor.execute(ANOTHER_PERSON)
        cursor.execute(NUMBER)
        new = dict(cursor.fetchall())
        cursor.execute(INSERT, known_as)
        for column, statement in (("external", IDENTIFY_EXTERNAL), ("card", IDENTIFY_CARD)):
            if column in matched.columns:
                cursor.execute(statement, known_as)
        write_unknown(_new_names(cursor, candidates, matched, new), batch_id=batch_id)
        changed: set[int] = set()
        rows = [(cand, customer, True) for cand, customer in new.items()]
        if matched.anybody:
            for statement in (UPDATE, FILL):
                cursor.execute(statement, known_as)
                changed |= {row[0] for row in cursor.fetchall()}
            cursor.execute(EARLIER, known_as)
            cursor.execute(WHO, known_as)
            rows = cursor.fetchall()
    aside = {
        cand: group if decided[group] == "refuse" else "left"
        for cand, group in groups.items()
        if decided[group] in ("skip", "refuse")
    }
    nobody = {cand: Taken(0, group, "refuse") for cand, group in groups.items() if group == CARD_TAKEN}
    return nobody | {
        cand: Taken(
            customer,
            aside.get(cand, "") or ("created" if made else "updated" if customer in changed else "skipped"),
            decided.get(groups.get(cand, ""), ""),
        )
        for cand, customer, made in rows
    }


# A customer whom this batch made before it was killed counts as created when it runs again.
WHO = """
SELECT cand, customer_id, is_new OR customer.batch_id IS NOT DISTINCT FROM %(batch)s
FROM intake_customer AS intake JOIN facts_customer AS customer ON customer.id = intake.customer_id
"""


def _new_names(cursor: Any, candidates: Sequence[Candidate], matched: Matched, new: Mapping[int, int]) -> list[NewName]:
    """Phones, addresses and ids that whoever is meant does not have yet."""
    kinds = [kind for kind in SEALED if kind in matched.columns]
    if not matched.anybody and "external" not in matched.columns:
        # Everybody is new and nothing of theirs finds anybody: the database was asked a moment ago. If another has
        # brought the same meanwhile, writing finds out.
        blinds = zip(*(matched.columns[kind] for kind in kinds), strict=True)
        return [
            NewName(new[who.cand], kind, getattr(who, kind), blind=blind)
            for who, hers in zip(candidates, blinds, strict=False)
            if who.cand in new
            for kind, blind in zip(kinds, hers, strict=True)
            if blind is not None
        ]
    if not kinds:
        return []
    by_cand = {each.cand: each for each in candidates}
    cursor.execute(" UNION ALL ".join(unknown_names(kind, changing=len(vault().in_use) > 1) for kind in kinds))
    return [
        NewName(customer_id, kind, getattr(by_cand[cand], kind), shared=shared, blind=blind)
        for cand, customer_id, kind, shared, blind in sorted(cursor.fetchall())
    ]


@dataclass(frozen=True)
class Met:
    """A row that met a customer known before: who she is, how they met, and what the row would change of her."""

    cand: int
    customer_id: int
    group: str
    name: str
    differences: Mapping[str, tuple[object, object]]


@transaction.atomic
def compare(candidates: Iterable[Candidate], *, source: str, batch_id: int) -> list[Met]:
    """Whom of those known before the rows would meet. Nothing is written."""
    by_cand = {each.cand: each for each in candidates}
    with connection.cursor() as cursor:
        groups = match(cursor, list(by_cand.values()), source=source, batch_id=batch_id, by_name=True).groups
        columns = ", ".join(f"customer.{field}" for field in (*TEXTS, *NUMBERS))
        cursor.execute(
            f"SELECT cand, customer.id, {columns} FROM intake_customer AS intake "  # noqa: S608 ours
            "JOIN facts_customer AS customer ON customer.id = intake.customer_id ORDER BY cand"
        )
        met = []
        for cand, customer, *held in cursor.fetchall():
            if cand in groups:
                now = dict(zip((*TEXTS, *NUMBERS), held, strict=True))
                met.append(Met(cand, customer, groups[cand], str(now["name"]), _differences(by_cand[cand], now)))
        return met


@transaction.atomic
def with_cards_of_others(candidates: Iterable[Candidate], *, source: str, batch_id: int) -> set[int]:
    """Of these, whose card is another's. Nothing is written."""
    with connection.cursor() as cursor:
        groups = match(cursor, list(candidates), source=source, batch_id=batch_id, by_name=True).groups
    return {cand for cand, group in groups.items() if group == CARD_TAKEN}


def _differences(who: Candidate, now: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    says = {field: getattr(who, field) for field in (*TEXTS, *NUMBERS)}
    says["name"] = rules.clean_name(who.name)
    return {field: (now[field], said) for field, said in says.items() if said not in ("", None) and said != now[field]}
