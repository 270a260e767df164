"""When she has let a line go by her own habit, whatever its cycle: docs/algorithms/risk.md, Lines of services."""

import numpy as np

from changke.engine.clv.statistics import Floats
from changke.engine.prediction.days import Days

LEAST_DAYS = 4
"""Three gaps: of fewer, "longer than ever" says little."""
LONGER = 1.25
"""So many times her longest gap so far is longer than ever."""
VISITS_WITHOUT = 2
"""Since her last day with the line: once she may have come for something else."""


def passed_over_on(held: Days, visits: Days, overdue: Floats) -> Floats:
    """The silent day on which each customer came without the line though it was overdue, by the line and by her habit.

    Parameters
    ----------
    held
        The days on which each customer had the line.
    visits
        The days on which she bought or used anything, those with the line among them.
    overdue
        Silent days after which the line itself says so, one per customer of `held`, in its order.

    Returns
    -------
    Floats
        Days after her last with the line: of the first visit without it, the second at the earliest, after both those
        days and a quarter more than her longest gap. Infinite where she has not come so, or had it on fewer than four
        days.
    """
    size = len(held.customers)
    if not size or not len(visits.day):
        return np.full(size, np.inf)
    number = np.bincount(held.who, minlength=size)
    last = np.full(size, held.first_day)
    np.maximum.at(last, held.who, held.day)
    again = held.who[1:] == held.who[:-1]
    longest = np.zeros(size)
    np.maximum.at(longest, held.who[1:][again], np.diff(held.day)[again].astype(float))
    came = _came(held, visits, last, np.maximum(overdue, LONGER * longest))
    return np.where(number >= LEAST_DAYS, came - last, np.inf)


def _came(held: Days, visits: Days, last: Floats, overdue: Floats) -> Floats:
    """The day of the first visit at least `overdue` days after `last`, not before the second; infinite without one."""
    # Customer and day as one ascending number, in which a visit is found by halving.
    base = min(int(visits.day.min()), held.first_day)
    span = max(int(visits.day.max()), int(held.day.max())) - base + 2
    keys = visits.who * span + visits.day - base
    place = np.searchsorted(visits.customers, held.customers)
    known = place < len(visits.customers)
    known[known] = visits.customers[place[known]] == held.customers[known]
    due = np.minimum(last - base + np.ceil(overdue), span - 1).astype(np.int64)
    second = np.searchsorted(keys, place * span + last - base, side="right") + VISITS_WITHOUT - 1
    wanted = np.maximum(second, np.searchsorted(keys, place * span + due, side="left"))
    there = known & (wanted < len(keys))
    there[there] = visits.who[wanted[there]] == place[there]
    return np.where(there, visits.day[np.minimum(wanted, len(keys) - 1)].astype(float), np.inf)
