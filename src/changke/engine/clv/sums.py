"""Between what the money of a random number of days will lie: docs/algorithms/outlook.md, Intervals."""

import numpy as np
import numpy.typing as npt

from changke.engine.clv.statistics import Floats
from changke.engine.special import gammainc, gammaincinv, ndtr, ndtri

HEAVY = 2.0
"""Variance, in squares of the mean, above which a sum is log-normal unless the past says that all are."""
ALWAYS, NEVER = 0.0, np.inf


def sum_of_days(
    each: Floats,
    within: Floats,
    unknown: Floats,
    *,
    expected: Floats,
    variance: Floats,
    active: Floats,
    share: Floats,
    heavy: float = HEAVY,
) -> tuple[Floats, Floats, Floats]:
    """Mean, low and high of the sum.

    Parameters
    ----------
    each, within, unknown
        The money of a day: expected, the variance of a day around her own mean, and that of what is not known of it.
    expected, variance, active
        The days: mean, variance, and the chance of one at least.
    share
        What shall lie between low and high.
    heavy
        From which variance on, in squares of the mean, the sum is log-normal instead of a gamma.
    """
    mean, second = moments(each, within, unknown, expected=expected, variance=variance)
    return mean, *between_money(active, mean, second, share, heavy)


def moments(
    each: Floats, within: Floats, unknown: Floats, *, expected: Floats, variance: Floats
) -> tuple[Floats, Floats]:
    """Mean and mean square of the sum, of everybody; parameters as of `sum_of_days`."""
    mean = expected * each
    return mean, expected * within + variance * each**2 + (variance + expected**2) * unknown + mean**2


def between_money(
    active: Floats, mean: Floats, second: Floats, share: Floats, heavy: float = HEAVY
) -> tuple[Floats, Floats]:
    """Between what a sum of money lies: nothing with 1 - active, else a law with the mean and mean square of all."""
    came = np.clip(active, 0.0, 1.0)
    return edges(came, *if_she_comes(came, mean, second), share, heavy)[:2]


def if_she_comes(came: Floats, mean: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of the sum of whoever comes, from those of everybody."""
    with np.errstate(all="ignore"):
        given = np.where(came > 0, mean / came, 0.0)
        return given, np.maximum(np.where(came > 0, second / came - given**2, 0.0), 1e-12)


def edges(
    came: Floats, given: Floats, scatter: Floats, share: Floats, heavy: float = NEVER
) -> tuple[Floats, Floats, Floats]:
    """As much outside below as above. Who stays away more often than that has no lower edge: all that may be missing
    is missing above."""
    stays, tail = 1 - came, (1 - share) / 2
    below = np.where(stays <= tail, tail, 0.0)
    above = below + share
    low, high = (_quantile(edge, came, given, scatter, heavy) for edge in (below, above))
    return low, high, np.maximum(above, stays) - below


def place_of(money: Floats, given: Floats, scatter: Floats, heavy: float = HEAVY) -> Floats:
    """Which share of what might have come is at most this much, for those who came."""
    found = np.empty(len(money))
    with np.errstate(all="ignore"):
        for some, long in _laws(given, scatter, heavy):
            mean, around, sums = given[some], scatter[some], money[some]
            if long:
                deviation = np.sqrt(np.log1p(around / mean**2))
                found[some] = ndtr(np.log(sums / mean) / deviation + deviation / 2)
            else:
                found[some] = gammainc(mean**2 / around, sums * mean / around)
    return found


def _quantile(edge: Floats, came: Floats, given: Floats, scatter: Floats, heavy: float) -> Floats:
    found, stays = np.zeros(len(edge)), 1 - came
    reached = np.flatnonzero((edge > stays) & (given > 0))  # for all the others it is nothing
    inside = np.clip((edge[reached] - stays[reached]) / came[reached], 0.0, 1.0)
    with np.errstate(all="ignore"):
        for some, long in _laws(given[reached], scatter[reached], heavy):
            mean, around = given[reached][some], scatter[reached][some]
            if long:
                deviation = np.sqrt(np.log1p(around / mean**2))
                sums = mean * np.exp(deviation * (ndtri(inside[some]) - deviation / 2))
            else:
                sums = gammaincinv(mean**2 / around, inside[some]) * around / mean
            found[reached[some]] = np.nan_to_num(sums)
    return found


def _laws(given: Floats, scatter: Floats, heavy: float) -> list[tuple[npt.NDArray[np.bool_], bool]]:
    """Who has which law, and whether it is the one with the long tail."""
    long = scatter > heavy * given**2
    return [(some, tail) for some, tail in ((long, True), (~long, False)) if some.any()]
