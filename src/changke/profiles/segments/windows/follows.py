"""Who did one thing, and within so many days another: of the first deed the next other one is enough to look at."""

from collections.abc import Sequence

import numpy as np

from changke.profiles.segments.windows.kept import POSITION_BITS, Ints, Rows
from changke.profiles.segments.windows.numbers import rows_of

AT_A_TIME = 2_000_000
"""Deeds of both kinds handled together; customers are parted by their ids so that there are no more of them."""

PICKED = 16_000_000
"""Deeds picked out together, a hundred megabytes of row numbers: of more of them some customers come after the others,
and all deeds are read once for each part."""

YEAR_ONE = 719_162
"""Days before 1970 back to the first that there is."""


def follows(
    first: tuple[Rows, range, Sequence[int] | None],
    then: tuple[Rows, range, Sequence[int] | None],
    *,
    within: int,
    comparable: bool,
    size: int,
) -> Ints:
    """The ids of whoever did the first and at most `within` days later the other.

    On one day the other must have come later, which is known where their positions are `comparable`.

    Parameters
    ----------
    first, then
        The deeds, the rows that are looked at, and the items that are meant.
    """
    parts = (len(first[1]) + len(then[1])) // PICKED + 1
    step = size // parts + 1
    found = [
        _among(range(low, min(low + step, size)), first, then, within=within, comparable=comparable)
        for low in range(0, size, step)
    ]
    return np.concatenate([np.zeros(0, np.int64), *found])


def _among(
    ids: range,
    first: tuple[Rows, range, Sequence[int] | None],
    then: tuple[Rows, range, Sequence[int] | None],
    *,
    within: int,
    comparable: bool,
) -> Ints:
    one, other = _picked(ids, *first), _picked(ids, *then)
    if not (len(one) and len(other)):
        return np.zeros(0, np.int64)
    found = []
    step = max(1, len(ids) * AT_A_TIME // (len(one) + len(other)) + 1)
    earlier, later = first[0].customer[one], then[0].customer[other]
    for low in range(ids.start, ids.stop, step):
        mine = one[(earlier >= low) & (earlier < low + step)]
        hers = other[(later >= low) & (later < low + step)]
        if len(mine) and len(hers):
            found.append(_follow(first[0], mine, then[0], hers, within, comparable))
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)


def _picked(ids: range, kept: Rows, rows: range, items: Sequence[int] | None) -> Ints:
    """The rows that are meant, of these customers."""
    found = [np.zeros(0, np.int64)]
    for at in rows_of(kept, rows, items):
        customers = kept.customer[at]
        found.append(at[(customers >= ids.start) & (customers < ids.stop)])
    return np.concatenate(found)


def _follow(first: Rows, earlier: Ints, then: Rows, later: Ints, within: int, comparable: bool) -> Ints:
    """Both in the order of time. A deed of the second kind is known by its place in it; of the first kind it is asked
    how many of the second were no later; the next of the same customer is found by both numbers in one."""
    days, next_days = first.day_of(earlier), then.day_of(later)
    if comparable:
        times, next_times = _times(days, first.position[earlier]), _times(next_days, then.position[later])
        sooner = np.searchsorted(next_times, times, side="right")
    else:
        sooner = np.searchsorted(next_days, days, side="right")
    ordered = np.sort((then.customer[later].astype(np.int64) << 32) | np.arange(len(later)))
    customers = first.customer[earlier].astype(np.int64)
    wanted = (customers << 32) | sooner
    order = np.argsort(wanted)
    wanted, customers, days = wanted[order], customers[order], days[order]
    at = np.searchsorted(ordered, wanted)
    there = at < len(ordered)
    at, customers, days = at[there], customers[there], days[there]
    fits = (ordered[at] >> 32 == customers) & (next_days[ordered[at] & 0xFFFFFFFF] <= days + within)
    return np.unique(customers[fits])


def _times(days: Ints, positions: Ints) -> Ints:
    """Day and position in one number, so that one comparison orders both; `kept.write` sees to it that they fit."""
    return ((days.astype(np.int64) + YEAR_ONE) << POSITION_BITS) | positions
