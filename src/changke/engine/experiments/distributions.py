"""Tails and quantiles."""

from statistics import NormalDist

from changke.engine import special

NORMAL = NormalDist()


def t_quantile(probability: float, *, degrees: float) -> float:
    return float(special.stdtrit(degrees, probability))


def t_two_sided(statistic: float, *, degrees: float) -> float:
    """The probability of a value at least as far from zero, on either side."""
    return float(2 * special.stdtr(degrees, -abs(statistic)))


def normal_two_sided(statistic: float) -> float:
    return float(2 * special.ndtr(-abs(statistic)))


def normal_quantile(probability: float) -> float:
    return NORMAL.inv_cdf(probability)


def chi_square_above(statistic: float, *, degrees: int) -> float:
    return float(special.chdtrc(degrees, statistic))
