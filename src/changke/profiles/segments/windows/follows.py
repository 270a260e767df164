"""Who did one thing, and within so many days another: day by day, each customer's last first deed is kept in mind."""

from collections.abc import Iterator, Sequence

import numpy as np

from changke.profiles.segments.windows.kept import SLICE, Ints, Rows
from changke.profiles.segments.windows.numbers import NEVER, rows_of

Meant = tuple[Rows, range, Sequence[int] | None]
"""The deeds, the rows that are looked at, and the items that are meant."""

OneDay = tuple[Ints, Ints]
"""Customers and positions of a day's deeds, in order."""


def follows(first: Meant, then: Meant, *, within: int, comparable: bool, size: int) -> Ints:
    """The ids of whoever did the first and at most `within` days later the other.

    On one day the other must have come later, which is known where their positions are `comparable`. Of several first
    deeds the last one before the other is the nearest, so that one number per customer is enough: the work grows with
    the deeds, and nothing is sorted.

    Parameters
    ----------
    size
        One more than the highest id: 13 bytes are held for each.
    """
    did, found = np.full(size, NEVER, np.int32), np.zeros(size, bool)
    order = np.zeros(size if comparable else 0, np.int64)
    began, followed = _by_day(*first), _by_day(*then)
    earlier = next(began, None)
    for day, (customers, positions) in followed:
        while earlier and earlier[0] < day:
            did[earlier[1][0]] = earlier[0]
            earlier = next(began, None)
        found[customers.compress(did.take(customers) >= max(day - within, NEVER + 1))] = True
        if comparable and earlier and earlier[0] == day:
            starters, places = earlier[1]
            order[starters[::-1]] = places[::-1]  # the first of the day stays
            did[starters] = day
            found[customers.compress((did.take(customers) == day) & (order.take(customers) < positions))] = True
    return np.flatnonzero(found)


def _by_day(kept: Rows, rows: range, items: Sequence[int] | None) -> Iterator[tuple[int, OneDay]]:
    """Day by day what was done, days without anything left out."""
    for days, bounds in _some_days(kept, rows):
        at: Ints | None = None
        if items is not None:
            picked = rows_of(kept, range(int(bounds[0]), int(bounds[-1])), items)
            at = np.concatenate([np.zeros(0, np.int64), *picked])
            bounds = np.searchsorted(at, bounds)
        for day, begin, end in zip(days.tolist(), bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            if begin < end:
                these = slice(begin, end) if at is None else at[begin:end]
                yield day, (np.asarray(kept.customer[these]), np.asarray(kept.position[these]))


def _some_days(kept: Rows, rows: range) -> Iterator[tuple[Ints, Ints]]:
    """Whole days, so many together that their rows are about a slice; and the first row of each, and the end."""
    bounds = np.clip(kept.starts, rows.start, rows.stop)
    begin = int(np.searchsorted(bounds, rows.start, side="right")) - 1 if len(rows) else len(kept.days)
    while begin < len(kept.days) and bounds[begin] < rows.stop:
        end = max(begin + 1, int(np.searchsorted(bounds, bounds[begin] + SLICE)))
        end = min(end, len(kept.days))
        yield kept.days[begin:end], bounds[begin : end + 1]
        begin = end
