"""How many deeds of each customer in a range of rows, or the sum of their amounts: an array with a place per id."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from changke.profiles.conditions.deeds import Measure
from changke.profiles.segments.windows.kept import SLICE, Ints, Rows

Numbers = NDArray[np.int64]

EXACT = 2**53
"""Whole numbers are summed in floating point as long as no sum of them can be beyond this."""

NEVER = -(2**31)
"""Day of the last visit of somebody who never came."""


def numbers(
    kept: Rows, rows: range, measure: Measure, *, items: Sequence[int] | None, size: int, after: Ints | None = None
) -> Numbers:
    """Customer id -> count or sum over `rows`.

    Parameters
    ----------
    items
        Only receipts with a line of one of these, and of their amounts only those lines.
    size
        One more than the highest id.
    after
        Customer id -> the day after which a deed counts.
    """
    found = np.zeros(size, np.int64)
    begins = None if after is None else _begins(kept, after)
    for customers, amounts, at in _slices(kept, rows, items):
        if begins is not None:
            # `take` and `compress`: half the time of the same in brackets. Every id has its place.
            later = at >= begins.take(customers, mode="clip")
            customers, amounts = customers.compress(later), amounts.compress(later) if measure == "sum" else amounts
        found += np.bincount(customers, minlength=size) if measure == "count" else _sums(customers, amounts, size)
    return found


def _begins(kept: Rows, after: Ints) -> Ints:
    """Customer id -> the first row of a later day: one look per customer, so that none is needed per deed."""
    if not len(kept.days):
        return np.zeros(len(after), np.int64)
    lowest, highest = int(kept.days[0]), int(kept.days[-1])
    beginning = kept.starts[np.searchsorted(kept.days, np.arange(lowest - 1, highest + 1), side="right")]
    return np.asarray(beginning[np.clip(after, lowest - 1, highest) - (lowest - 1)])


def last_days(kept: Rows, rows: range, size: int) -> Ints:
    """Customer id -> the day of the last of her deeds among `rows`; `NEVER` without one."""
    found = np.full(size, NEVER, np.int32)
    for begin, end in _parts(rows):
        at = np.arange(begin, end)
        found[kept.customer[begin:end]] = kept.day_of(at)  # in order of the days: the last one stays
    return found


def rows_of(kept: Rows, rows: range, items: Sequence[int] | None) -> Iterator[Ints]:
    """The rows that are meant, in order, some at a time: of `items`, those with a line of one of them."""
    for _, _, at in _slices(kept, rows, items):
        yield at


def _slices(kept: Rows, rows: range, items: Sequence[int] | None) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Customers, amounts and row numbers, a slice at a time; no receipt lies in two."""
    if items is None:
        for begin, end in _parts(rows):
            yield kept.customer[begin:end], kept.amount[begin:end], np.arange(begin, end, dtype=kept.starts.dtype)
        return
    wanted = np.zeros(kept.highest_item + 1, bool)
    wanted[[one for one in items if one <= kept.highest_item]] = True
    for begin, end in _parts(rows):
        # Bounds of the type of the rows: otherwise all of these are copied to compare them.
        first, last = np.searchsorted(kept.line_row, np.array((begin, end), kept.line_row.dtype))
        meant = np.flatnonzero(wanted[kept.line_item[first:last]]) + first
        if not len(meant):
            continue
        at = np.asarray(kept.line_row[meant])
        new = np.flatnonzero(np.diff(at, prepend=-1))
        yield kept.customer[at[new]], np.add.reduceat(kept.line_amount[meant].astype(np.int64), new), at[new]


def _parts(rows: range) -> Iterator[tuple[int, int]]:
    for begin in range(rows.start, rows.stop, SLICE):
        yield begin, min(begin + SLICE, rows.stop)


def _sums(customers: Ints, amounts: Ints, size: int) -> Numbers:
    if float(np.abs(amounts.astype(np.float64)).sum()) < EXACT:
        return np.bincount(customers, weights=amounts, minlength=size).astype(np.int64)
    found = np.zeros(size, np.int64)
    np.add.at(found, customers, amounts)
    return found
