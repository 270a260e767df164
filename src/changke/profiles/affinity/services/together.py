"""What goes together, what newcomers begin with, what each month lifts, what each group has most: counted by night over
the whole chain and kept by home store, so that whoever sees some stores adds their rows. docs/algorithms/affinity.md"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection, transaction

from changke.engine.affinity import (
    FirstBaskets,
    Lines,
    complements,
    count_pairs,
    count_recent,
    count_starters,
    members_of,
    starters,
    windows,
)
from changke.foundation.database.copy import copy_columns
from changke.profiles.affinity.rules import AGE_BAND_YEARS, MONTHS, RECENT_DAYS, YEARS, coming_months
from changke.profiles.affinity.services.favourites import COLUMNS, favourites, traits
from changke.profiles.affinity.services.read import (
    Cards,
    ItemDays,
    read_cards,
    read_days,
    read_lines,
    read_receipts,
)

MOST_PAIRS = 300
MOST_STARTERS = 100
SEASON_LOOK_BACK_DAYS = 1_310
"""Three years of 364 days, half a year before them, and the month that has begun."""

Row = tuple[Any, ...]
BASIS = ("store_id", "as_of", "receipts", "with_lines", "first_on", "customers", "baskets")
ITEM = ("store_id", "item_id", "customers", "baskets")
PAIR = ("store_id", "item_id", "other_id", "customers", "baskets")
STARTER = ("store_id", "item_id", "other_id", "customers", "returned", "alone", "alone_returned")
SEASON = ("store_id", "item_id", "seen", "around")
GROUP = ("store_id", "trait", "value", "item_id", "customers")


@dataclass(frozen=True)
class Homes:
    """The homes of customers: their stores, and which of them each customer of the lines has. Store -1: none."""

    stores: list[int]
    of_customer: Any

    def store(self, place: int) -> int | None:
        return None if self.stores[place] < 0 else self.stores[place]


def count_together(*, today: dt.date) -> int:
    """Count everything as of a day; how many rows there are. All are replaced at once: whoever reads meanwhile finds
    those of before."""
    lines = read_lines(today)
    cards = read_cards(lines)
    stores = sorted(set(cards.store.tolist()))
    homes = Homes(stores, np.searchsorted(stores, cards.store))
    receipts = read_receipts(today, look_back_days=SEASON_LOOK_BACK_DAYS)
    pairs, items, totals = _pairs(lines, homes)
    found: dict[str, tuple[tuple[str, ...], list[Row]]] = {
        "profiles_basis": (BASIS, list(_basis(today, receipts, totals))),
        "profiles_paircount": (PAIR, pairs),
        "profiles_itemcount": (ITEM, items),
        "profiles_startercount": (STARTER, list(_starters(lines, homes))),
        "profiles_seasoncount": (SEASON, list(_seasons(today, read_days(today, look_back_days=SEASON_LOOK_BACK_DAYS)))),
        "profiles_groupcount": (GROUP, list(_groups(today, lines, cards, homes))),
        "profiles_favourite": (COLUMNS, list(favourites(today, lines, cards, traits(today, cards, AGE_BAND_YEARS)))),
    }
    with transaction.atomic(), connection.cursor() as sql:
        # Whoever counts as well is through before or comes after.
        sql.execute("LOCK TABLE profiles_basis IN SHARE ROW EXCLUSIVE MODE")
        for table, (columns, rows) in found.items():
            sql.execute(f"DELETE FROM {table}")  # noqa: S608 one of these names
            copy_columns(table, columns, rows)
    return sum(len(rows) for _, rows in found.values())


def _basis(
    today: dt.date, receipts: Iterable[tuple[int | None, int, int, dt.date]], totals: dict[int | None, tuple[int, int]]
) -> Iterator[Row]:
    for store, count, with_lines, first_on in receipts:
        yield (store, today, count, with_lines, first_on, *totals.get(store, (0, 0)))


def _pairs(lines: Lines, homes: Homes) -> tuple[list[Row], list[Row], dict[int | None, tuple[int, int]]]:
    """Pairs that stand out over the chain, on one day or ever; their items; customers and baskets of each home."""
    chosen: dict[tuple[int, int], None] = {}
    for among in ("customers", "baskets"):
        table = complements(lines, among=among)
        both = zip(table["item_id"].tolist(), table["other_id"].tolist(), strict=True)
        chosen |= dict.fromkeys([pair for pair in both if pair[0] < pair[1]][:MOST_PAIRS])
    one, other = (np.searchsorted(lines.items, np.array([pair[side] for pair in chosen], dtype=lines.items.dtype))
                  for side in (0, 1))  # fmt: skip
    members = members_of(homes.of_customer, len(homes.stores))
    of_customers = count_pairs(lines, one, other, members, among="customers")
    of_baskets = count_pairs(lines, one, other, members, among="baskets")
    pairs = [
        (homes.store(place), *pair, customers, baskets)
        for place in range(len(homes.stores))
        for pair, customers, baskets in zip(
            chosen, of_customers.together[place].tolist(), of_baskets.together[place].tolist(), strict=True
        )
        if customers
    ]
    items = [
        (homes.store(place), lines.items[item].item(), of_customers.had[place, item].item(),
         of_baskets.had[place, item].item())
        for place in range(len(homes.stores))
        for item in sorted({*one.tolist(), *other.tolist()})
        if of_customers.had[place, item]
    ]  # fmt: skip
    totals = {
        homes.store(place): (of_customers.total[place].item(), of_baskets.total[place].item())
        for place in range(len(homes.stores))
    }
    return pairs, items, totals


def _starters(lines: Lines, homes: Homes) -> Iterator[Row]:
    table = starters(lines)
    pairs = list(zip(table["item_id"].tolist(), table["other_id"].tolist(), strict=True))[:MOST_STARTERS]
    common, other = (np.searchsorted(lines.items, np.array([pair[side] for pair in pairs], dtype=lines.items.dtype))
                     for side in (0, 1))  # fmt: skip
    members = members_of(homes.of_customer, len(homes.stores))
    counts = count_starters(FirstBaskets.of(lines), common, other, members)
    for place in range(len(homes.stores)):
        for number, pair in enumerate(pairs):
            told = [one[place, number].item() for one in counts]
            if told[0] or told[2]:
                yield (homes.store(place), *pair, *told)


def _seasons(today: dt.date, days: ItemDays) -> Iterator[Row]:
    """Of each home and item two lists of MONTHS times YEARS; years that were not are zeros."""
    if not len(days.day):
        return
    codes, code = np.unique(np.stack([days.store, days.item]), axis=1, return_inverse=True)
    code = code.ravel()
    first, end = int(days.day.min()), int(np.datetime64(today).astype(int))
    shape = (codes.shape[1], MONTHS, YEARS)
    seen, around = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for place, (starts_on, length) in enumerate(coming_months(today)):
        start = int(np.datetime64(starts_on).astype(int))
        found = windows(
            days.day, code, codes.shape[1], start=start, days=length, first=first, end=end, times=days.times
        )
        for target, counts in zip((seen, around), found, strict=True):
            kept = np.rint(counts[:YEARS].T).astype(np.int64)
            target[:, place, : kept.shape[1]] = kept
    for place in range(codes.shape[1]):
        if around[place].any():
            store, item = codes[:, place].tolist()
            yield (None if store < 0 else store, item, seen[place].ravel().tolist(), around[place].ravel().tolist())


def _groups(today: dt.date, lines: Lines, cards: Cards, homes: Homes) -> Iterator[Row]:
    """Who of each group had anything lately, and who had which item."""
    for trait, values in traits(today, cards, AGE_BAND_YEARS):
        names, value = np.unique(values, return_inverse=True)
        group = np.where(values == "", -1, homes.of_customer * len(names) + value.ravel())
        members, had = count_recent(lines, members_of(group, len(homes.stores) * len(names)), days=RECENT_DAYS)
        for place in np.flatnonzero(members).tolist():
            store, name = homes.store(place // len(names)), str(names[place % len(names)])
            yield (store, trait, name, None, members[place].item())
            for entry in range(had.indptr[place], had.indptr[place + 1]):
                item = lines.items[had.indices[entry]].item()
                yield (store, trait, name, item, round(had.data[entry]))
