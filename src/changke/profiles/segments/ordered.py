"""Everybody in the order of what is expected of them, from the copy by column: docs/algorithms/customer-list.md.

An index in PostgreSQL has one order and few conditions; the copy is read through for any of them in some milliseconds.
"""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
from collections.abc import Sequence
from dataclasses import dataclass

from changke.foundation.organisation.scope import Scope
from changke.profiles.segments.asking import FROM
from changke.profiles.segments.columns import Ids, opened


@dataclass(frozen=True)
class Narrowed:
    """What the customer list may ask of a profile beside an order; empty means any."""

    stages: Sequence[str] = ()
    group: str = ""
    adviser: int | None = None
    among: Sequence[Ids] = ()
    """Sets of customers, each of whom she has to be in: who holds a tag, who is in a segment."""


@dataclass(frozen=True)
class Ordered:
    """Rows of the copy (customer, value), and whoever had a fact since and stands in none of them."""

    rows: list[tuple[int, int | None]]
    changed: Sequence[int]


def in_order(
    column: str,
    narrowed: Narrowed,
    *,
    scope: Scope,
    behind: tuple[int | None, int] | None,
    back: bool,
    size: int,
) -> Ordered | None:
    """The first by a column, the highest first, unknown ones last, equal ones by number; behind a value and a customer
    or, going back, before them with the nearest first. None where PostgreSQL has to be asked."""
    seen = opened(scope, expected=True)
    if seen is None:
        return None
    where, values = f"TRUE{seen.where}", dict(seen.values)
    if narrowed.stages:
        where, values["stages"] = f"{where} AND list_contains($stages::VARCHAR[], one.stage)", list(narrowed.stages)
    if narrowed.group:
        where, values["value_group"] = f"{where} AND one.value_group = $value_group", narrowed.group
    if narrowed.adviser is not None:
        where, values["adviser"] = f"{where} AND one.adviser_id = $adviser", narrowed.adviser
    for number, ids in enumerate(narrowed.among):
        seen.cursor.register(f"among_{number}", {"customer_id": ids})
        where = f"{where} AND one.customer_id IN (SELECT customer_id FROM among_{number})"
    if behind is not None:
        value, values["customer"] = behind
        where = f"{where} AND {_behind(column, known=value is not None, back=back)}"
        values |= {} if value is None else {"value": value}
    way = f"{column} ASC NULLS FIRST, customer_id DESC" if back else f"{column} DESC NULLS LAST, customer_id"
    said = f"SELECT customer_id, {column} FROM {FROM} WHERE {where} ORDER BY {way} LIMIT {int(size)}"
    return Ordered(seen.cursor.execute(said, values).fetchall(), seen.ids)


def _behind(column: str, *, known: bool, back: bool) -> str:
    if not known:
        if back:
            return f"({column} IS NOT NULL OR customer_id < $customer)"
        return f"({column} IS NULL AND customer_id > $customer)"
    if back:
        return f"({column} > $value OR ({column} = $value AND customer_id < $customer))"
    return f"({column} < $value OR ({column} = $value AND customer_id > $customer) OR {column} IS NULL)"
