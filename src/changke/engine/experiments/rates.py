"""Yes-or-no outcomes: came back, redeemed, answered."""

from dataclasses import dataclass
from math import sqrt

from changke.engine.experiments.distributions import normal_quantile, normal_two_sided
from changke.engine.experiments.lift import Interval
from changke.engine.experiments.moments import Moments
from changke.engine.refusals import Refusal, TooFew, share


class NotYesOrNo(Refusal):
    """The outcomes are not 0 and 1 only."""

    code = "not_yes_or_no"


@dataclass(frozen=True)
class RateLift:
    """The rates of both arms with Wilson's bounds (low, rate, high), and their difference: 0.02 is two points."""

    control: tuple[float, float, float]
    treated: tuple[float, float, float]
    difference: Interval


def rate_lift(control: Moments, treated: Moments, *, alpha: float = 0.05) -> RateLift:
    """Difference of two rates with Newcombe's interval (1998, method 10: Wilson's bounds combined) and the pooled z.

    Sensible at 0 of 20, and never outside -1 to 1. Where nobody or everybody said yes in both arms the p-value is 1.

    Raises
    ------
    TooFew
        An arm without customers.
    NotYesOrNo
    """
    for arm in (control, treated):
        if not arm.n:
            raise TooFew("an arm without customers has no rate")
        if arm.total != arm.squares or not 0 <= arm.total <= arm.n:
            raise NotYesOrNo(f"{arm} counts something else than 0 and 1")
    one, two = wilson(control, alpha=alpha), wilson(treated, alpha=alpha)
    difference = treated.mean - control.mean
    pooled = (control + treated).mean
    error = sqrt(pooled * (1 - pooled) * (1 / control.n + 1 / treated.n))
    interval = Interval(
        difference,
        error,
        difference - sqrt((two[1] - two[0]) ** 2 + (one[2] - one[1]) ** 2),
        difference + sqrt((two[2] - two[1]) ** 2 + (one[1] - one[0]) ** 2),
        normal_two_sided(difference / error) if error else 1.0,
    )
    return RateLift(one, two, interval)


def wilson(arm: Moments, *, alpha: float = 0.05) -> tuple[float, float, float]:
    """Low, rate, high (Wilson 1927). The arm has customers, counted as 0 and 1."""
    share("alpha", alpha)
    z = normal_quantile(1 - alpha / 2)
    n, rate = arm.n, arm.mean
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), rate, min(1.0, middle + half)
