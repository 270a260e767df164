"""The customer list in the order of what is expected of each: predictions lie in a table of their own, beside profiles.

Who stays away and what stage she is in say nearly the same thing: along an index of predictions alone, one would walk
past half a chain for one stage. Asked is, in this order: the copy of profiles by column (`segments/ordered.py`), which
knows stage, store, group and adviser, and is handed whoever holds a tag or a value of an own field or is in a segment;
whoever fits, where these are few; else the index, for some steps, and then whoever fits. Customers of whom nothing is
expected, because they never bought, come last.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce

from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.interfaces.web.customers.filters import Filters, Order, Position
from changke.profiles.segments import ordered
from changke.profiles.segments.columns import ids_of
from changke.profiles.value.models import Prediction

FEW = 6_000
"""So many are looked up and put in order; it costs what a walk along the index costs where one in 170 fits."""

STEPS, MOST_STEPS = 1_000, 20_000
"""So many of the index are asked whether they fit, then four times as many; beyond, whoever fits is sorted."""

COPIED = frozenset({"stages", "store", "group", "adviser"})
"""Conditions that the copy by column can answer."""

HANDED = frozenset({"tag", "segment", "own", "referral"})
"""Conditions that PostgreSQL answers with ids, which the copy by column takes."""

Found = tuple[int, int | None]
"""A customer and what is expected of her."""


def in_order(
    seen: Any, many: Q, held: Sequence[Any], filters: Filters, scope: Scope, order: Order, size: int
) -> list[Found]:
    """The first behind the filters' position, or, going back, before it with the nearest first.

    `seen`: the profiles that the filters show. `many`: what has to be looked up elsewhere and many fulfil. `held`: the
    queries of ids that answer it.
    """
    position = filters.position
    narrowed = bool(filters.conditions) or not scope.whole_chain
    if narrowed and set(filters.conditions) <= COPIED | HANDED and len(held) == len(HANDED & set(filters.conditions)):
        copied = _copied(seen.filter(many), held, filters, scope, order, size)
        if copied is not None:
            return copied
    if narrowed:
        few = list(seen.filter(many).values_list("customer_id", flat=True)[: FEW + 1])
        if len(few) <= FEW:
            return _first(_with_values(few, order), position, size)
    return list(_walked(seen.filter(many), order, position, size, narrowed=narrowed))


def _copied(
    seen: Any, held: Sequence[Any], filters: Filters, scope: Scope, order: Order, size: int
) -> list[Found] | None:
    """From the copy, and of whoever had a fact since from PostgreSQL."""
    position = filters.position
    with seeing(CHAIN_WIDE):  # the copy keeps to the scope
        among = [ids_of(*each.query.sql_with_params()) for each in held]
    asked = ordered.Narrowed(filters.stages, filters.group, filters.adviser, among)
    found = ordered.in_order(
        order.column,
        asked,
        scope=scope.narrowed(filters.store),
        behind=(_value(position), position.customer_id) if position else None,
        back=position is not None and position.back,
        size=size,
    )
    if found is None:
        return None
    late = list(seen.filter(customer__in=found.changed).values_list("customer_id", flat=True)) if found.changed else []
    return _first([*found.rows, *_with_values(late, order)], position, size)


def _with_values(ids: Sequence[int], order: Order) -> list[Found]:
    with seeing(CHAIN_WIDE):  # whose they are was asked before
        values = dict(Prediction.objects.filter(pk__in=ids).values_list("customer_id", order.column))
    return [(pk, values.get(pk)) for pk in ids]


def _first(found: list[Found], position: Position | None, size: int) -> list[Found]:
    """The highest first, unknown ones last, equal ones by their number; from the position on or back from it."""
    back = position is not None and position.back
    if position is not None:
        here = _place((position.customer_id, _value(position)))
        found = [one for one in found if (_place(one) < here if back else _place(one) > here)]
    return sorted(found, key=_place, reverse=back)[:size]


def _place(one: Found) -> tuple[bool, int, int]:
    pk, value = one
    return value is None, -(value or 0), pk


def _value(position: Position) -> int | None:
    return int(position.value) if position.value else None


def _walked(seen: Any, order: Order, position: Position | None, size: int, *, narrowed: bool) -> Iterator[Found]:
    """Along the index of predictions, range by range, then along those of whom nothing is expected."""
    back = position is not None and position.back
    direction = "" if back else "-"
    ids = "-customer_id" if back else "customer_id"
    known = list(_known_ranges(order, position))
    unknown = _unknown_range(position)
    if back and unknown is not None:
        for found in _unknown(seen, unknown, ids, size):
            size -= 1
            yield found
    for where in known:
        if size <= 0:
            return
        for found in _along(seen, where, order, (f"{direction}{order.column}", ids), size, narrowed=narrowed):
            size -= 1
            yield found
    if not back and unknown is not None and size > 0:
        yield from _unknown(seen, unknown, ids, size)


def _known_ranges(order: Order, position: Position | None) -> Iterator[Q]:
    """Ties first, then the rest: one OR would read all ties of a value."""
    value = _value(position) if position else None
    if position is None or (value is None and position.back):
        yield Q()
    elif value is not None:
        beside = Q(customer_id__lt=position.customer_id) if position.back else Q(customer_id__gt=position.customer_id)
        yield Q(**{order.column: value}) & beside
        yield Q(**{f"{order.column}__{'gt' if position.back else 'lt'}": value})


def _unknown_range(position: Position | None) -> Q | None:
    if position is not None and not position.value:
        return Q(customer_id__lt=position.customer_id) if position.back else Q(customer_id__gt=position.customer_id)
    return None if position is not None and position.back else Q()


def _unknown(seen: Any, where: Q, ids: str, size: int) -> list[Found]:
    nothing = ~Exists(Prediction.objects.filter(customer=OuterRef("customer")))
    rows = seen.filter(where).filter(nothing).order_by(ids)
    return [(pk, None) for pk in rows.values_list("customer_id", flat=True)[:size]]


def _along(seen: Any, where: Q, order: Order, by: tuple[str, str], size: int, *, narrowed: bool) -> Iterator[Found]:
    rows = Prediction.objects.filter(where).order_by(*by).values_list("customer_id", order.column)
    given, begun, steps = 0, 0, STEPS if narrowed else size
    while given < size and steps <= MOST_STEPS:
        with seeing(CHAIN_WIDE):  # else it would be found out of each row whose it is; `seen` keeps to the scope
            some = list(rows[begun : begun + steps])
        fitting = set(seen.filter(customer__in=[pk for pk, _ in some]).values_list("customer_id", flat=True))
        for found in [one for one in some if one[0] in fitting][: size - given]:
            given += 1
            yield found
        if len(some) < steps:
            return
        begun, steps = begun + steps, steps * 4
    if given < size:
        unindexed = Coalesce(F(order.column), F(order.column))
        key = unindexed.desc() if by[0].startswith("-") else unindexed.asc()
        fits = Prediction.objects.filter(where, customer__in=seen.values("customer")).order_by(key, by[1])
        yield from fits.values_list("customer_id", order.column)[given:size]
