"""The customer list: a page of it, its counts, and which condition leaves nothing. Every read is bounded.

A page is found by position, never by OFFSET: first in the index of its order, then the details of its rows.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any

from django.db.models import Count as Number
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone

from changke.decisions.next_best_action.queries import CONTACTS, broken_promises
from changke.facts.customers.models import PERSON, Customer, Tag, whom
from changke.facts.customers.queries import matching, phones_of
from changke.facts.events.models import Event
from changke.facts.fields.queries import holders_of
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.foundation.periods import business_date
from changke.interfaces.web.customers import by_prediction, in_segment
from changke.interfaces.web.customers.filters import DEFAULT_ORDER, ORDERS, Filters, Order, Position
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.models import StageCount
from changke.profiles.value.models import Prediction

PAGE = 30
CAP = 10_000
"""Counted exactly up to here; beyond, the page says "10,000+", or takes the roll-up where nothing else is asked."""

SEARCH_CAP = 1_000
"""The same for what has to be looked up in other tables: a search or a tag. Nobody reads on that far."""

NAMED_CAP, NAMED_CAP_HERE = 6_000, 2_000
"""So many are put in the order of names, of the chain and of a few stores; of more, the names are walked along. Either
costs the same here: 6,000 to look up, or 31 × 1,000,000 ÷ 6,000 names to pass before a page is full."""

FIRST_STEPS, MOST_STEPS = 1_000, 8_000
"""So many of an order are asked whether they fit; beyond the second, to collect whoever fits is cheaper."""


@dataclass(frozen=True)
class Row:
    """One customer of the list. Money in minor units, days as dates."""

    customer: Customer
    stage: str
    value_group: str | None
    value_at_risk: int
    net_spend: int
    visits_365d: int
    last_active_on: dt.date | None
    phone: str
    tags: tuple[str, ...]
    expected: Prediction | None
    """What is expected of her; None of somebody who never bought, and before the first night."""


@dataclass(frozen=True)
class Page:
    rows: tuple[Row, ...]
    previous: Filters | None
    next: Filters | None


@dataclass(frozen=True)
class Count:
    """How many; `more` says that the counting stopped there."""

    number: int
    more: bool = False

    def __add__(self, other: "Count") -> "Count":
        return Count(self.number + other.number, self.more or other.more)


@dataclass
class LookedUp:
    """Whom a tag, an own field or a search leaves: looked up once for all the questions of one page.

    Ids only, up to one more than the cap. Those of tags and fields are of the whole chain: each row of theirs would
    have to find out whose it is, and what is asked with them keeps to the scope.
    """

    found: dict[tuple[object, ...], list[int]] = field(default_factory=dict)

    def ids(self, key: tuple[object, ...], rows: Any, *, of_chain: bool) -> list[int]:
        if key not in self.found:
            with seeing(CHAIN_WIDE) if of_chain else nullcontext():
                self.found[key] = list(rows[: SEARCH_CAP + 1])
        return self.found[key]


def page_of(filters: Filters, scope: Scope, *, size: int = PAGE, looked_up: LookedUp | None = None) -> Page:
    """The page at the filters' position."""
    order = ORDERS[filters.order]
    position = _read_position(filters.position, order)
    back = position is not None and position.back
    looked_up = looked_up or LookedUp()
    found = list(_in_order(filters.at(position), scope, order, position, size + 1, looked_up))
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    if not found and position is not None:
        return page_of(
            filters.at(None), scope, size=size, looked_up=looked_up
        )  # an old link behind the end: begin again
    has_next, has_previous = (True, more) if back else (more, position is not None)
    ends = [Position(_written(key), pk) for pk, key in (found[0], found[-1])] if found else []
    return Page(
        rows=tuple(_rows([pk for pk, _ in found])),
        previous=filters.at(replace(ends[0], back=True)) if ends and has_previous else None,
        next=filters.at(ends[1]) if ends and has_next else None,
    )


def along(filters: Filters, scope: Scope, *, size: int) -> list[tuple[int, Any]]:
    """Customer and key of the filters' order, from their position on."""
    order = ORDERS[filters.order]
    position = _read_position(filters.position, order)
    return list(_in_order(filters.at(position), scope, order, position, size, LookedUp()))


def counts_of(
    filters: Filters, scope: Scope, stages: Sequence[str], *, model: str, looked_up: LookedUp | None = None
) -> dict[str, Count]:
    """Stage -> customers, under every filter but the stage itself."""
    others = filters.without("stages")
    seen = _seen(others, scope, looked_up)
    if others.q or others.tag or others.segment:
        # What has to be looked up elsewhere is looked up once, not once per stage; a search alone has been already.
        asked = ("q", others.q, scope.narrowed(others.store))
        only_searched = others.q and set(others.conditions) <= {"q", "store"}
        searched = (looked_up or LookedUp()).found.get(asked) if only_searched else None
        few = seen if searched is None else Profile.objects.for_scope(scope).filter(customer__in=searched)
        found = list(few.values_list("stage", flat=True)[: SEARCH_CAP + 1])
        more = len(found) > SEARCH_CAP
        return {stage: Count(found.count(stage), more) for stage in stages}
    if others.adviser:
        return _of_adviser(seen, stages)
    # Who sees visitors too has no index that counts them by itself.
    cap = SEARCH_CAP if scope.visited else CAP
    counted = {stage: _capped(seen.filter(stage=stage), cap) for stage in stages}
    if set(others.conditions) <= {"store"} and not scope.by_person and any(count.more for count in counted.values()):
        whole = _rolled_up(model, scope.narrowed(others.store))
        return {stage: _whole(count, whole.get(stage)) for stage, count in counted.items()}
    return counted


def _of_adviser(seen: Any, stages: Sequence[str]) -> dict[str, Count]:
    """All stages in one walk: an adviser's customers stand together in their index, as many as one looks after."""
    found = dict(seen.order_by().values_list("stage").annotate(number=Number("customer_id")))
    return {stage: Count(min(found.get(stage, 0), CAP), found.get(stage, 0) > CAP) for stage in stages}


def tightest(filters: Filters, scope: Scope) -> tuple[str, Count] | None:
    """Of a list that came out empty: the condition without which most would be found, and how many."""
    without = {name: _capped(_seen(filters.without(name), scope), SEARCH_CAP) for name in filters.conditions}
    name = max(without, key=lambda name: without[name].number, default=None)
    return (name, without[name]) if name and without[name].number else None


def nobody_yet(scope: Scope) -> bool:
    return not Profile.objects.for_scope(scope).exists()


def _seen(filters: Filters, scope: Scope, looked_up: LookedUp | None = None) -> Any:
    """The profiles that a list with these filters shows, in no order."""
    seen, many, _ = _seen_apart(filters, scope, looked_up)
    return seen.filter(many)


def _seen_apart(filters: Filters, scope: Scope, looked_up: LookedUp | None = None) -> tuple[Any, Q, list[Any]]:
    """The same, apart from it what has to be looked up elsewhere and many fulfil, and the queries that find these."""
    seen, wide = Profile.objects.for_scope(scope.narrowed(filters.store)), Q()
    held: list[Any] = []
    if filters.stages:
        seen = seen.filter(stage__in=filters.stages)
    if filters.group:
        seen = seen.filter(value_group=filters.group)
    if filters.adviser:
        seen = seen.filter(adviser_id=filters.adviser)
    if filters.care:
        seen = _slipping(seen, filters.care)
    for elsewhere in _looked_up(filters, scope.narrowed(filters.store), looked_up or LookedUp()):
        if len(elsewhere.few) <= SEARCH_CAP:
            seen = seen.filter(customer__in=elsewhere.few)
        else:
            wide &= elsewhere.many
            held += [elsewhere.ids] if elsewhere.ids is not None else []
    return seen, wide, held


def _slipping(seen: Any, care: str) -> Any:
    """Of these, who slips through in this way."""
    if care == "no_adviser":
        return seen.filter(adviser_id__isnull=True)
    if care == "never_contacted":
        contacts = Event.objects.filter(customer=OuterRef("customer"), kind__in=CONTACTS, withdrawn_by__isnull=True)
        merged = Event.objects.filter(customer__merged_into__isnull=False, kind__in=CONTACTS, withdrawn_by__isnull=True)
        return seen.filter(~Exists(contacts)).exclude(customer__in=merged.values("customer__merged_into"))
    today = business_date(timezone.now(), the_chain().time_zone)
    return seen.filter(customer__in=broken_promises(today))


def count_of(filters: Filters, scope: Scope) -> Count:
    """How many these filters show, counted up to the cap."""
    return _capped(_seen(filters, scope))


@dataclass(frozen=True)
class Elsewhere:
    """What a condition finds in other tables."""

    few: list[int]
    """The customers, up to one more than the cap."""
    many: Q
    """The condition itself, for when they are more."""
    ids: Any | None
    """The query of all their ids; None where it depends on who asks."""


def _looked_up(filters: Filters, scope: Scope, known: LookedUp) -> Iterator[Elsewhere]:
    """Whom tag and search leave: the customers themselves where they are few, the condition where they are many.

    Few are looked up first and then put in order; of many, enough are met while walking along the order. Left to
    choose, the planner walks along the whole order for somebody who is not there.
    """
    if filters.tag:
        tagged = Tag.objects.filter(name=filters.tag).values_list("customer", flat=True)
        yield Elsewhere(known.ids(("tag", filters.tag), tagged, of_chain=True), Q(customer__in=tagged), tagged)
    if filters.segment:
        inside = in_segment.members(filters.segment, now=timezone.now())
        yield Elsewhere(known.ids(("segment", filters.segment), inside, of_chain=True), Q(customer__in=inside), inside)
    if filters.own:
        holding = holders_of(*filters.own.partition("~")[::2])
        yield Elsewhere(known.ids(("own", filters.own), holding, of_chain=True), Q(customer__in=holding), holding)
    if filters.q:
        here = Customer.objects.for_scope(scope).filter(matching(filters.q)).values_list(PERSON, flat=True)
        fits = matching(filters.q, path="customer__")
        yield Elsewhere(known.ids(("q", filters.q, scope), here, of_chain=False), fits, None)


def _in_order(
    filters: Filters, scope: Scope, order: Order, position: Position | None, size: int, looked_up: LookedUp
) -> Iterator[tuple[int, Any]]:
    """(customer, key) behind the position. Ties, the rest, the valueless: three ranges of the index, not one OR."""
    back = position is not None and position.back
    descending = order.descending != back
    seen, many, held = _seen_apart(filters, scope, looked_up)
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
        cap = named if order.key == "name" and not many else SEARCH_CAP
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


def _read_position(position: Position | None, order: Order) -> Position | None:
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


def _written(key: object) -> str:
    return "" if key is None else str(key)


def _rows(ids: list[int]) -> Iterator[Row]:
    people = Customer.objects.select_related("home_store", "adviser").in_bulk(ids)
    wanted = ("stage", "value_group", "value_at_risk", "net_spend", "visits_365d", "last_active_on")
    about = {row.pop("customer_id"): row for row in Profile.objects.filter(pk__in=ids).values("customer_id", *wanted)}
    phones, expected = phones_of(ids), Prediction.objects.in_bulk(ids)
    tags: dict[int, list[str]] = {}
    for customer_id, name in Tag.objects.filter(customer__in=ids).order_by("name").values_list("customer_id", "name"):
        tags.setdefault(customer_id, []).append(name)
    for pk in ids:
        if pk in people and pk in about:
            yield Row(
                customer=people[pk],
                phone=phones.get(pk, ""),
                tags=tuple(tags.get(pk, ())),
                expected=expected.get(pk),
                **about[pk],
            )


def _capped(seen: Any, cap: int = 0) -> Count:
    cap = cap or CAP
    number = seen.order_by().values(one=F("customer_id"))[: cap + 1].count()
    return Count(min(number, cap), more=number > cap)


def _whole(counted: Count, rolled_up: int | None) -> Count:
    return Count(rolled_up) if counted.more and rolled_up and rolled_up > counted.number else counted


def _rolled_up(model: str, scope: Scope) -> dict[str, int]:
    """The counts of the latest day of the charts."""
    rows = StageCount.objects.filter(model=model)
    rows = rows.filter(day=Subquery(rows.order_by("-day").values("day")[:1]))
    if scope.store_ids is not None:
        rows = rows.filter(store_id__in=scope.store_ids)
    found: dict[str, int] = {}
    for stage, customers in rows.values_list("stage", "customers"):
        found[stage] = found.get(stage, 0) + customers
    return found


def everybody(filters: Filters, scope: Scope) -> Iterator[int]:
    """The ids of all whom these filters show, in order, however many."""
    rows = (
        _seen(filters, scope)
        .filter(customer__is_active=True, customer__merged_into__isnull=True)
        .order_by("customer_id")
    )
    yield from rows.values_list("customer_id", flat=True).iterator(chunk_size=5_000)


def count_everybody(filters: Filters, scope: Scope) -> int:
    """How many these filters show, exactly: who changes them all wants to know."""
    return int(
        _seen(filters, scope).filter(customer__is_active=True, customer__merged_into__isnull=True).order_by().count()
    )
