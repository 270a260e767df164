"""First baskets of two things: which, how large, and who came back."""

from collections.abc import Iterator
from itertools import combinations
from numbers import Integral

import numpy as np

from changke.engine.affinity.complements import LEAST_SUPPORT, NotASupport
from changke.engine.affinity.lines import Lines
from changke.engine.experiments.moments import Moments
from changke.engine.experiments.rates import rate_lift
from changke.engine.refusals import whole
from changke.engine.table import Table

RETURNS_WITHIN_DAYS = 90
MOST_ITEMS = 20  # of one basket that are paired: a wholesaler's first order of 300 lines has 44,850 pairs


def starters(lines: Lines, *, within_days: int = RETURNS_WITHIN_DAYS, least_support: int = LEAST_SUPPORT) -> Table:
    """Pairs of the first basket beside the more common of the two alone.

    Returns
    -------
    Table
        item_id (the more common), other_id; customers (whose first basket has both, known for `within_days`), returned
        (of them, within those days); alone, alone_returned (the first basket has the item without the other);
        difference, low, high (of the two rates of return; Newcombe at 95 per cent). Surest first. An observation:
        whoever takes two things is another customer.

    Raises
    ------
    NotASupport
    """
    whole("within_days", within_days, least=1)
    if not isinstance(least_support, Integral) or least_support < 1:
        raise NotASupport(f"a support of {least_support}")
    baskets, came_back = _first_baskets(lines, within_days)
    by_item: dict[int, set[int]] = {}
    pairs: dict[tuple[int, int], set[int]] = {}
    for customer, items in baskets.items():
        for item in items:
            by_item.setdefault(item, set()).add(customer)
        for pair in combinations(items[:MOST_ITEMS], 2):
            pairs.setdefault(pair, set()).add(customer)
    rows = sorted(_compared(pairs, by_item, came_back, least_support), key=lambda row: (-row[7], row[:2]))
    names = ("item_id", "other_id", "customers", "returned", "alone", "alone_returned", "difference", "low", "high")
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    found = {
        name: np.array(column, dtype=np.int64 if place < 6 else float)
        for place, (name, column) in enumerate(zip(names, columns, strict=True))
    }
    return Table({**found, "item_id": lines.items[found["item_id"]], "other_id": lines.items[found["other_id"]]})


Row = tuple[int, int, int, int, int, int, float, float, float]


def _compared(
    pairs: dict[tuple[int, int], set[int]], by_item: dict[int, set[int]], came_back: set[int], least_support: int
) -> Iterator[Row]:
    for pair, both in pairs.items():
        common, other = sorted(pair, key=lambda item: (-len(by_item[item]), item))
        alone = by_item[common] - by_item[other]
        if len(both) < least_support or len(alone) < least_support:
            continue
        counts = len(both), len(both & came_back), len(alone), len(alone & came_back)
        found = rate_lift(Moments.of_rate(*counts[2:]), Moments.of_rate(*counts[:2])).difference
        yield (common, other, *counts, found.estimate, found.low, found.high)


def _first_baskets(lines: Lines, within_days: int) -> tuple[dict[int, list[int]], set[int]]:
    """Items of the first basket of each customer known long enough, and who came back in time."""
    first = np.full(len(lines.customers), np.iinfo(np.int64).max)
    np.minimum.at(first, lines.customer, lines.day)
    since = lines.day - first[lines.customer]
    followed = first[lines.customer] <= lines.end - within_days
    baskets: dict[int, list[int]] = {}
    for customer, item in zip(
        lines.customer[followed & (since == 0)], lines.item[followed & (since == 0)], strict=True
    ):
        baskets.setdefault(int(customer), []).append(int(item))
    back = followed & (since > 0) & (since <= within_days)
    return baskets, set(np.unique(lines.customer[back]).tolist())
