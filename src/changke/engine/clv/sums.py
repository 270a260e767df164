"""Between what the money of a random number of days will lie: docs/algorithms/outlook.md, Intervals."""

import numpy as np

from changke.engine.clv.statistics import Floats
from changke.engine.special import gammaincinv


def sum_of_days(
    each: Floats,
    within: Floats,
    unknown: Floats,
    *,
    expected: Floats,
    variance: Floats,
    active: Floats,
    share: Floats,
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
    """
    mean = expected * each
    second = expected * within + variance * each**2 + (variance + expected**2) * unknown + mean**2
    return mean, *between_money(active, mean, second, share)


def between_money(active: Floats, mean: Floats, second: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Between what a sum of money lies: nothing with 1 - active, else a gamma with the mean and mean square of all."""
    came = np.clip(active, 0.0, 1.0)
    with np.errstate(all="ignore"):
        given = np.where(came > 0, mean / came, 0.0)
        scatter = np.maximum(np.where(came > 0, second / came - given**2, 0.0), 1e-12)
        shape, scale = given**2 / scatter, np.where(given > 0, scatter / given, 0.0)
    return edges(came, shape, scale, share)[:2]


def edges(came: Floats, shape: Floats, scale: Floats, share: Floats) -> tuple[Floats, Floats, Floats]:
    """As much outside below as above. Who stays away more often than that has no lower edge: all that may be missing
    is missing above."""
    stays, tail = 1 - came, (1 - share) / 2
    below = np.where(stays <= tail, tail, 0.0)
    above = below + share
    low, high = (_quantile(edge, stays, came, shape, scale) for edge in (below, above))
    return low, high, np.maximum(above, stays) - below


def _quantile(edge: Floats, stays: Floats, came: Floats, shape: Floats, scale: Floats) -> Floats:
    found = np.zeros(len(edge))
    some = edge > stays  # for all the others it is nothing
    inside = np.clip((edge[some] - stays[some]) / came[some], 0.0, 1.0)
    with np.errstate(all="ignore"):
        found[some] = np.nan_to_num(gammaincinv(shape[some], inside) * scale[some])
    return found
