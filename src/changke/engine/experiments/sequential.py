"""Intervals that hold however often one looks, and whenever one stops."""

from math import exp, log, sqrt

from changke.engine.experiments.lift import Interval, check_arms, standard_error
from changke.engine.experiments.moments import Arm
from changke.engine.refusals import above_zero, share, whole

LEAST_PER_ARM = 100  # the method is one of the limit; below it takes skewed spending for normal
TUNED_FOR = 5_000  # customers in both arms, where the interval is narrowest; GrowthBook's default


def always_valid(
    control: Arm, treated: Arm, *, alpha: float = 0.05, tuned_for: int = TUNED_FOR, least_per_arm: int = LEAST_PER_ARM
) -> Interval:
    """The asymptotic confidence sequence of the difference of means, and its always-valid p-value.

    Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, Annals of Statistics 52 (2024), arXiv 2103.06476v7: equations 9
    (width), 155 (p-value) and 161 (tuning).

    Parameters
    ----------
    control, treated
        `Moments`, or what `cuped` made of them.
    alpha
        All looks together miss the truth with at most this probability, in the limit.
    tuned_for
        The number of customers in both arms at which the interval shall be narrowest: chosen before the start.
    least_per_arm
        Looks before that many are refused.

    Raises
    ------
    TooFew, NothingVaries
    """
    share("alpha", alpha)
    above_zero("tuned_for", tuned_for)
    check_arms(control, treated, least=max(2, whole("least_per_arm", least_per_arm)))
    n = control.n + treated.n
    error = standard_error(control, treated)
    difference = treated.mean - control.mean
    spread = n * (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / tuned_for  # n * rho^2
    half = error * sqrt(2 * (spread + 1) / spread * log(sqrt(spread + 1) / alpha))
    evidence = (difference / error) ** 2 * spread / (2 * (spread + 1))  # of the mixture against no effect, as a log
    p_value = min(1.0, exp(min(0.0, 0.5 * log(spread + 1) - evidence)))
    return Interval(difference, error, difference - half, difference + half, p_value)
