"""Tails and quantiles. SciPy is loaded when first asked: it takes longer to import than everything else together."""

import importlib
from functools import cache
from statistics import NormalDist
from typing import Any

NORMAL = NormalDist()


@cache
def _special() -> Any:
    return importlib.import_module("scipy.special")


def t_quantile(probability: float, *, degrees: float) -> float:
    return float(_special().stdtrit(degrees, probability))


def t_two_sided(statistic: float, *, degrees: float) -> float:
    """The probability of a value at least as far from zero, on either side."""
    return float(2 * _special().stdtr(degrees, -abs(statistic)))


def normal_two_sided(statistic: float) -> float:
    return float(2 * _special().ndtr(-abs(statistic)))


def normal_quantile(probability: float) -> float:
    return NORMAL.inv_cdf(probability)


def chi_square_above(statistic: float, *, degrees: int) -> float:
    return float(_special().chdtrc(degrees, statistic))
