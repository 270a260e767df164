"""The customer list in its order: the first behind a position, found in an index, and every read of it bounded.

A page is found by position, never by OFFSET. docs/algorithms/customer-list.md
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Concat

from changke.facts.customers.models import Customer, whom
from changke.facts.customers.queries import matching
from changke.foundation.organisation.scope import Scope
from changke.interfaces.web.customers import by_prediction, narrowed
from changke.interfaces.web.customers.filters import DEFAULT_ORDER, Filters, Order, Position
from changke.interfaces.web.customers.narrowed import LookedUp, profiles_apart
from changke.profiles.attributes.models import Profile

NAMED_CAP, NAMED_CAP_HERE = 6_000, 2_000
"""So many are put in the order of names, of the chain and of a few stores; of more, the names are walked along. Either
costs the same here: 6,000 to look up, or 31 × 1,000,000 ÷ 6,000 names to pass before a page is full."""

FIRST_STEPS, MOST_STEPS = 1_000, 8_000
"""So many of an order are asked whether they fit; beyond the second, to collect whoever fits is cheaper."""


def in_order(
    filters: Filters, scope: Scope, order: Order, position: Position | None, size: int, looked_up: LookedUp
) -> Iterator[tuple[int, Any]]:
    """(customer, key) behind the position. Ties, the rest, the valueless: three ranges of the index, not one OR."""
    back = position is not None and position.back
    descending = order.descending != back
    seen, many, held = profiles_apart(filters, scope, looked_up)
    here = scope.narrowed(filters.store)
    if many and filters.q and not here.whole_chain:
        many &= whom(here)  # said of her record too, beside her name
    if order.predicted:
        yield from by_prediction.in_order(seen, many, held, filters, scope, order, size)
        return
    if order.key != DEFAULT_ORDER and (filters.conditions or not scope.whole_chain):
        # The default order has every filter in its index. Along another, a rare combination may be a long walk away.
        # A search that found too many is not asked for again, if nothing else can make them few.
        known = many and set(filters.conditions) <= {"q", "store"}
        named = NAMED_CAP if here.whole_chain else NAMED_CAP_HERE
        cap = named if order.key == "name" and not many else narrowed.SEARCH_CAP
        few = [] if known else list(seen.filter(many).values_list("customer_id", flat=True)[: cap + 1])
        seen, many = (seen, many) if known or len(few) > cap else (Profile.objects.filter(customer__in=few), Q())
    for where, people in zip(
        _ranges(order, position, descending),
        _along_names(filters, order, position, descending, here),
        strict=False,
    ):
        if size > 0:
            rows = seen.filter(where)
            found = _first_of(filters, rows, many, order, size, people, descending=descending, back=back)
            size -= len(found)
            yield from found


def _along_names(
    filters: Filters, order: Order, position: Position | None, descending: bool, scope: Scope
) -> Iterator[Any]:
    """For each range of the order, those who stand in it in order, where that is known without their profiles: names
    are the customers' own. Through the profiles, all of a store would be joined to find the first.

    A name that is searched stands in one place of the alphabet, and the walk there from its beginning may be long: who
    has it is collected.
    """
    if order.key != "name":
        yield from repeat(None)
    everybody, ends = Customer.objects.for_scope(scope), ("-" if descending else "")
    for where in _ranges(replace(order, column="pinyin"), position, descending, person="pk"):
        here = everybody.filter(where).values("pk")
        if filters.q:
            yield here.filter(matching(filters.q)).order_by(
                _towards(Concat("pinyin", Value("")), descending), f"{ends}pk"
            )
        else:
            yield here.order_by(f"{ends}pinyin", f"{ends}pk")


def _first_of(
    filters: Filters, rows: Any, many: Q, order: Order, size: int, people: Any, *, descending: bool, back: bool
) -> list[tuple[int, Any]]:
    """The first of a range of the order who also fulfil what is looked up elsewhere (`many`). `people`: ids of all of
    the range in its order, if it is known without their profiles.

    Of many a page is met soon. Where the first of the order do not fill it, the walk may be long, and whoever fits is
    collected and sorted: both are bounded, and the planner would take the wrong one of the two.
    """
    ids = "-customer" if back else "customer"
    key, collected = (_towards(column, descending) for column in (F(order.column), _unindexed(order)))
    if not many:
        return _walked(filters, rows.order_by(key, ids), order, size, descending=descending, back=back)
    steps = FIRST_STEPS
    walk = rows.order_by(key, ids).values("customer_id") if people is None else people
    base: Any = Profile.objects if people is None else rows
    while steps <= MOST_STEPS:
        near = base.filter(customer__in=walk[:steps]).filter(many)
        found = list(near.order_by(collected, ids).values_list("customer_id", order.column)[:size])
        if len(found) == size:
            return found
        # As many more as the first of them let expect, and half as many again for luck.
        steps = MOST_STEPS + 1 if steps > FIRST_STEPS or not found else steps * size * 3 // (2 * len(found))
    return list(rows.filter(many).order_by(collected, ids).values_list("customer_id", order.column)[:size])


def _towards(column: Any, descending: bool) -> Any:
    return column.desc() if descending else column.asc()


def _unindexed(order: Order) -> Any:
    """The order's key as an expression that no index has."""
    if order.key == "name":
        return Concat(F(order.column), Value(""))
    return Coalesce(F(order.column), F(order.column))


def _walked(
    filters: Filters, rows: Any, order: Order, size: int, *, descending: bool, back: bool
) -> list[tuple[int, Any]]:
    """The first rows of an ordered range, of which the keys are all known or all unknown.

    Of several stages each is walked along its own index and the ends are merged: along an index of everybody, who
    stands in none of them would be passed by one after the other.
    """
    wanted = ("customer_id", order.column)
    if len(filters.stages) < 2 or order.key == "name":  # names are sorted as the database sorts texts
        return list(rows.values_list(*wanted)[:size])
    found = [one for stage in filters.stages for one in rows.filter(stage=stage).values_list(*wanted)[:size]]
    found.sort(key=lambda one: one[0], reverse=back)
    if found and found[0][1] is not None:
        found.sort(key=lambda one: one[1], reverse=descending)  # stable: ties stay in the order of their ids
    return found[:size]


def _ranges(order: Order, position: Position | None, descending: bool, person: str = "customer") -> list[Q]:
    known, unknown = Q(**{f"{order.column}__isnull": False}), Q(**{f"{order.column}__isnull": True})
    if position is None:
        return [known, unknown] if order.nullable else [Q()]
    beside = Q(**{f"{person}__{'lt' if position.back else 'gt'}": position.customer_id})
    if not position.value and order.nullable:
        return [unknown & beside, known] if position.back else [unknown & beside]
    ties = Q(**{order.column: position.value}) & beside
    rest = Q(**{f"{order.column}__{'lt' if descending else 'gt'}": position.value})
    return [ties, rest] if position.back or not order.nullable else [ties, rest, unknown]


def read_position(position: Position | None, order: Order) -> Position | None:
    """The position, if its value can be one of this order's column."""
    if position is None or (order.nullable and not position.value):
        return position
    try:
        if order.column == "last_active_on":
            dt.date.fromisoformat(position.value)
        elif order.column != "customer__pinyin" and not -(2**63) <= int(position.value) < 2**63:
            return None
    except ValueError:
        return None
    return position
