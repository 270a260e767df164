"""What goes together in some stores: their rows added up, asked by the rules that the whole chain is asked."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from django.db.models import Max, Min, QuerySet, Sum

from changke.engine.affinity import indexes, lifts, shares
from changke.engine.affinity.starters import came_back
from changke.facts.catalog.models import Item
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope, in_places
from changke.profiles.affinity.models import Basis, GroupCount, ItemCount, PairCount, SeasonCount, StarterCount
from changke.profiles.affinity.rules import (
    LEAST_DAYS,
    LEAST_MEMBERS,
    LEAST_SUPPORT,
    MONTHS,
    YEARS,
    coming_months,
)

FEWEST = 5
"""Whoever sees only some customers of a store is told of so many together, never of fewer: one might be anybody."""
MOST_FAVOURITES = 5
Among = Literal["customers", "baskets"]


@dataclass(frozen=True)
class StandsOn:
    """The day of the night that counted (None before the first), and what it counted in these stores. `fewest`: items
    that fewer customers had are left out."""

    as_of: dt.date | None = None
    receipts: int = 0
    with_lines: int = 0
    first_on: dt.date | None = None
    customers: int = 0
    baskets: int = 0
    fewest: int = 1


@dataclass(frozen=True)
class Pair:
    """Two items that are had together more often than chance would have it, on one day or ever. Lift in thousandths."""

    item: Item
    other: Item
    together: int
    had: int
    other_had: int
    lift_milli: int
    lift_low_milli: int


@dataclass(frozen=True)
class Pairs:
    """Surest first. `too_few`: how many pairs stand out over the chain and are too rare here. `total`: customers, or
    baskets."""

    among: Among
    pairs: tuple[Pair, ...]
    too_few: int
    total: int


@dataclass(frozen=True)
class Starter:
    """What newcomers begin with: both items, or the more common one alone, and who came back within 90 days. The
    difference of the two shares in basis points, with its bounds."""

    item: Item
    other: Item
    customers: int
    returned: int
    alone: int
    alone_returned: int
    difference_bp: int
    low_bp: int
    high_bp: int


@dataclass(frozen=True)
class Starters:
    starters: tuple[Starter, ...]
    too_few: int


@dataclass(frozen=True)
class ItemSeason:
    """Of each month its index in thousandths of an even year; None where the month is not known yet."""

    item: Item
    days: int
    index_milli: tuple[int | None, ...]


@dataclass(frozen=True)
class Seasons:
    """The first days of the months, and the items with the strongest season first. `too_few`: items had on too few
    days."""

    months: tuple[dt.date, ...]
    items: tuple[ItemSeason, ...]
    too_few: int


@dataclass(frozen=True)
class Favourite:
    item: Item
    customers: int
    share_bp: int
    """Of the group, shrunk to that of everybody here with the weight of 50 customers."""
    everybody_bp: int


@dataclass(frozen=True)
class Group:
    """Customers who had anything lately and what they had most; nothing is told of fewer than LEAST_MEMBERS."""

    value: str
    members: int
    favourites: tuple[Favourite, ...]


def stands_on(scope: Scope = CHAIN_WIDE) -> StandsOn:
    sums = {name: Sum(name) for name in ("receipts", "with_lines", "customers", "baskets")}
    found = _of(Basis.objects, scope).aggregate(day=Max("as_of"), first=Min("first_on"), **sums)
    numbers = {name: found[name] or 0 for name in sums}
    return StandsOn(as_of=found["day"], first_on=found["first"], fewest=_fewest(scope), **numbers)


def pairs_of(scope: Scope = CHAIN_WIDE, *, among: Among = "customers") -> Pairs:
    total = getattr(stands_on(scope), among)
    had = dict(_of(ItemCount.objects, scope).values_list("item_id").annotate(Sum(among)))
    rows = list(_of(PairCount.objects, scope).values_list("item_id", "other_id").annotate(Sum(among)))
    items = _items(one for row in rows for one in row[:2])
    rows = [row for row in rows if row[0] in items and row[1] in items]
    enough = [row for row in rows if row[2] >= LEAST_SUPPORT]
    if not enough:
        return Pairs(among, (), len(rows), total)
    _, lift, low = lifts(
        [both for _, _, both in enough], [had[one] for one, _, _ in enough], [had[two] for _, two, _ in enough], total
    )
    found = [
        Pair(items[one], items[other], both, had[one], had[other], round(1_000 * lift[n]), round(1_000 * low[n]))
        for n, (one, other, both) in enumerate(enough)
        if low[n] > 1
    ]
    found.sort(key=lambda pair: (-pair.lift_low_milli, pair.item.pk, pair.other.pk))
    return Pairs(among, tuple(found), len(rows) - len(enough), total)


def starters_of(scope: Scope = CHAIN_WIDE) -> Starters:
    """Surest first."""
    names = ("customers", "returned", "alone", "alone_returned")
    rows = list(_of(StarterCount.objects, scope).values("item_id", "other_id").annotate(**{n: Sum(n) for n in names}))
    items = _items(row[name] for row in rows for name in ("item_id", "other_id"))
    rows = [row for row in rows if row["item_id"] in items and row["other_id"] in items]
    enough = [row for row in rows if min(row["customers"], row["alone"]) >= LEAST_SUPPORT]
    found = []
    for row in enough:
        numbers = {name: row[name] for name in names}
        difference = came_back(**numbers)
        points = (round(10_000 * value) for value in (difference.estimate, difference.low, difference.high))
        found.append(Starter(items[row["item_id"]], items[row["other_id"]], *numbers.values(), *points))
    found.sort(key=lambda one: (-one.low_bp, one.item.pk, one.other.pk))
    return Starters(tuple(found), len(rows) - len(enough))


def seasons_of(scope: Scope = CHAIN_WIDE) -> Seasons:
    basis = stands_on(scope)
    if basis.as_of is None:
        return Seasons((), (), 0)
    months = tuple(month for month, _ in coming_months(basis.as_of))
    seen: dict[int, Any] = {}
    around: dict[int, Any] = {}
    for item, one, year in _of(SeasonCount.objects, scope).values_list("item_id", "seen", "around").iterator():
        seen[item] = seen.get(item, 0) + np.array(one)
        around[item] = around.get(item, 0) + np.array(year)
    items = _items(seen)
    if not items:
        return Seasons(months, (), 0)
    # Shares of all that was had, of items that are gone too.
    order = sorted(seen)
    of_month, of_year = (
        np.stack([counts[item] for item in order]).reshape(len(order), MONTHS, YEARS).transpose(1, 2, 0).astype(float)
        for counts in (seen, around)
    )
    known = of_month.sum(axis=(1, 2)) > 0
    index = np.stack([indexes(of_month[month], of_year[month])[0] for month in range(MONTHS)])
    days = of_year.sum(axis=1).max(axis=0)
    few = _had_by_few(scope, basis.fewest)
    told, too_few = [], 0
    for place, item in enumerate(order):
        if item not in items:
            continue
        if days[place] < LEAST_DAYS or item in few:
            too_few += 1
            continue
        milli = tuple(round(1_000 * index[m, place]) if known[m] else None for m in range(MONTHS))
        told.append(ItemSeason(items[item], int(days[place]), milli))
    told.sort(key=lambda one: (-max((value for value in one.index_milli if value is not None), default=0), one.item.pk))
    return Seasons(months, tuple(told) if known.any() else (), too_few)


def groups_of(scope: Scope = CHAIN_WIDE, *, trait: str) -> tuple[Group, ...]:
    """By value; a group of too few members has no favourites."""
    fewest = _fewest(scope)
    rows = _of(GroupCount.objects.filter(trait=trait), scope).values_list("value", "item_id").annotate(Sum("customers"))
    members: dict[str, int] = {}
    had: dict[str, dict[int, int]] = {}
    for value, item, customers in rows:
        if item is None:
            members[value] = customers
        else:
            had.setdefault(value, {})[item] = customers
    items = _items(item for one in had.values() for item in one)
    everybody = max(1, sum(members.values()))
    chain = {item: sum(one.get(item, 0) for one in had.values()) / everybody for item in items}
    found = []
    for value, count in sorted(members.items()):
        if count < fewest:
            continue
        mine = sorted(item for item in had.get(value, {}) if item in items and had[value][item] >= fewest)
        share = shares([had[value][item] for item in mine], count, [chain[item] for item in mine])
        best = sorted(range(len(mine)), key=lambda n: (-share[n], mine[n]))[:MOST_FAVOURITES]
        favourites = (
            Favourite(items[mine[n]], had[value][mine[n]], round(10_000 * share[n]), round(10_000 * chain[mine[n]]))
            for n in best
        )
        found.append(Group(value, count, tuple(favourites) if count >= LEAST_MEMBERS else ()))
    return tuple(found)


def _of(rows: Any, scope: Scope) -> "QuerySet[Any]":
    found: QuerySet[Any] = rows.all()
    return found if scope.store_ids is None else found.filter(in_places(scope))


def _items(ids: Iterable[int]) -> Mapping[int, Item]:
    """Those that are still offered."""
    return Item.objects.filter(is_active=True).in_bulk(set(ids))


def _fewest(scope: Scope) -> int:
    """More than one where there are stores of which only an adviser's own customers are seen."""
    return FEWEST if scope.sees_some else 1


def _had_by_few(scope: Scope, fewest: int) -> set[int]:
    """Items that too few customers had lately to be told of."""
    if fewest == 1:
        return set()
    rows = _of(GroupCount.objects.filter(item_id__isnull=False), scope).values_list("trait", "item_id")
    enough = {item for _, item, customers in rows.annotate(Sum("customers")) if customers >= fewest}
    return set(_of(SeasonCount.objects, scope).values_list("item_id", flat=True)) - enough
