"""Was the split kept: a chi-square of the counts against the weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

from changke.engine.experiments.distributions import chi_square_above
from changke.engine.refusals import Refusal

SUSPECT_BELOW = 0.001  # GrowthBook's bound; with one look a day for a year 0.3 false alarms


class CountsDoNotFit(Refusal):
    """One whole count, zero or more, for each weight; at least one weight above zero."""

    code = "counts_do_not_fit"


@dataclass(frozen=True)
class SampleRatio:
    """How far the counts are from the weights.

    Attributes
    ----------
    p_value
        How often chance alone goes at least as far astray.
    expected
        Customers per variant by the weights.
    is_suspect
        Show no finding: somebody was lost on the way of one arm.
    """

    statistic: float
    p_value: float
    expected: tuple[float, ...]
    is_suspect: bool


def sample_ratio(counts: Sequence[int], weights_bp: Sequence[int]) -> SampleRatio:
    """Compare customers seen per variant with the weights. Nobody seen, or one variant only, is not suspect.

    Raises
    ------
    CountsDoNotFit
    """
    usable = all(isinstance(one, Integral) and one >= 0 for one in (*counts, *weights_bp))
    if not usable or len(counts) != len(weights_bp) or not sum(weights_bp):
        raise CountsDoNotFit(f"counts {list(counts)} for the weights {list(weights_bp)}")
    seen, whole = sum(counts), sum(weights_bp)
    expected = tuple(seen * weight / whole for weight in weights_bp)
    if any(count for count, weight in zip(counts, weights_bp, strict=True) if not weight):
        return SampleRatio(float("inf"), 0.0, expected, is_suspect=True)
    statistic = sum((count - hoped) ** 2 / hoped for count, hoped in zip(counts, expected, strict=True) if hoped)
    degrees = sum(weight > 0 for weight in weights_bp) - 1
    p_value = chi_square_above(statistic, degrees=degrees) if degrees and seen else 1.0
    return SampleRatio(statistic, p_value, expected, is_suspect=p_value < SUSPECT_BELOW)
