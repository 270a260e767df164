"""What the one arm brought more than the other, per customer, with an interval."""

from dataclasses import dataclass
from math import sqrt

from changke.engine.experiments.distributions import t_quantile, t_two_sided
from changke.engine.experiments.moments import Arm
from changke.engine.refusals import Refusal, TooFew, share


class NothingVaries(Refusal):
    """Everybody in both arms brought the same: there is a difference, but no saying how sure it is."""

    code = "nothing_varies"


@dataclass(frozen=True)
class Interval:
    """An estimate, the bounds that cover the truth with the confidence asked for, and the chance of no effect at all
    looking so large."""

    estimate: float
    standard_error: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Lift:
    """The effect of a treatment.

    Attributes
    ----------
    per_customer
        Minor units per customer.
    relative
        The same as a share of the control's mean (0.12 is 12 per cent); None where that mean is not clearly above zero.
    treated
        Customers in the treated arm.
    """

    per_customer: Interval
    relative: Interval | None
    treated: int

    @property
    def in_total(self) -> tuple[float, float, float]:
        """What it brought from everybody treated, in minor units: low, estimate, high."""
        one = self.per_customer
        return one.low * self.treated, one.estimate * self.treated, one.high * self.treated


def lift(control: Arm, treated: Arm, *, alpha: float = 0.05) -> Lift:
    """Difference of means with Welch's interval, for one look at a moment chosen beforehand.

    Parameters
    ----------
    control, treated
        `Moments`, or what `cuped` made of them.
    alpha
        The interval covers the truth with probability 1 - alpha, two-sided.

    Raises
    ------
    TooFew
        Fewer than two customers in an arm.
    NothingVaries
    """
    share("alpha", alpha)
    check_arms(control, treated, least=2)
    error = standard_error(control, treated)
    difference = treated.mean - control.mean
    degrees = _degrees(control, treated)
    per_customer = _interval(difference, error, degrees, alpha)
    own_error = sqrt(control.variance / control.n)
    if control.plain_mean <= t_quantile(1 - alpha / 2, degrees=control.n - 1) * own_error:
        return Lift(per_customer, None, treated.n)
    relative = _interval(difference / control.plain_mean, relative_error(control, treated), degrees, alpha)
    return Lift(per_customer, relative, treated.n)


def check_arms(control: Arm, treated: Arm, *, least: int) -> None:
    if min(control.n, treated.n) < least:
        raise TooFew(f"{control.n} and {treated.n} customers: at least {least} are needed in each arm")
    if control.variance <= 0 and treated.variance <= 0:
        raise NothingVaries("everybody in both arms brought the same")


def standard_error(control: Arm, treated: Arm) -> float:
    return sqrt(control.variance / control.n + treated.variance / treated.n)


def relative_error(control: Arm, treated: Arm) -> float:
    """Of (treated - control) / control, to first order (delta method). The control's mean must not be zero."""
    base = control.plain_mean
    return sqrt(
        treated.variance / (base**2 * treated.n) + control.variance * treated.plain_mean**2 / (base**4 * control.n)
    )


def _interval(estimate: float, error: float, degrees: float, alpha: float) -> Interval:
    half = t_quantile(1 - alpha / 2, degrees=degrees) * error
    return Interval(estimate, error, estimate - half, estimate + half, t_two_sided(estimate / error, degrees=degrees))


def _degrees(control: Arm, treated: Arm) -> float:
    """Welch and Satterthwaite."""
    one, two = control.variance / control.n, treated.variance / treated.n
    return (one + two) ** 2 / (one**2 / (control.n - 1) + two**2 / (treated.n - 1))
