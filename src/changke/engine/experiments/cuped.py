"""What was known of the customers before the start, taken off what they brought after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any

from changke.engine.experiments.lift import check_arms, standard_error
from changke.engine.experiments.moments import ImpossibleMoments, Moments, NotWhole, whole


@dataclass(frozen=True)
class CovariateMoments:
    """One arm with a number from before the start beside the outcome.

    Parameters
    ----------
    outcome, before
        Moments of the same customers.
    products
        Sum of outcome times before, in squared minor units.
    """

    outcome: Moments
    before: Moments
    products: int

    def __post_init__(self) -> None:
        if not isinstance(self.products, int):
            raise NotWhole(f"products are integers, not {self.products!r}")
        if self.outcome.n != self.before.n:
            raise ImpossibleMoments(f"{self.outcome.n} customers after the start, {self.before.n} before it")
        if self.cross**2 > _spread(self.outcome) * _spread(self.before):
            raise ImpossibleMoments("outcome and covariate vary together more than they vary")

    @classmethod
    def of(cls, outcome: Sequence[Any], before: Sequence[Any]) -> "CovariateMoments":
        """From two numbers per customer, in the same order."""
        after, earlier = whole(outcome), whole(before)
        if len(after) != len(earlier):
            raise ImpossibleMoments(f"{len(after)} customers after the start, {len(earlier)} before it")
        return cls(Moments.of(after), Moments.of(earlier), sum(map(mul, after, earlier)))

    def __add__(self, other: "CovariateMoments") -> "CovariateMoments":
        return CovariateMoments(
            self.outcome + other.outcome, self.before + other.before, self.products + other.products
        )

    @property
    def cross(self) -> int:
        """n^2 times the covariance, in integers."""
        return self.outcome.n * self.products - self.outcome.total * self.before.total

    @property
    def covariance(self) -> float:
        n = self.outcome.n
        return self.cross / (n * (n - 1)) if n > 1 else 0.0


@dataclass(frozen=True)
class AdjustedArm:
    """An arm after the adjustment; means of two arms are to be compared, not to be read alone."""

    n: int
    mean: float
    variance: float
    plain_mean: float


@dataclass(frozen=True)
class Adjusted:
    """Both arms, adjusted; and what it was worth.

    Attributes
    ----------
    theta
        Minor units of outcome per minor unit before.
    error_ratio
        Standard error of the difference after / before the adjustment: 0.8 means as good as 56 per cent more customers.
    """

    control: AdjustedArm
    treated: AdjustedArm
    theta: float
    error_ratio: float


def cuped(control: CovariateMoments, treated: CovariateMoments) -> Adjusted:
    """Take theta times the covariate off, theta from both arms together (Deng, Xu, Kohavi, Walker, WSDM 2013).

    A covariate without spread changes nothing (theta 0, ratio 1).

    Raises
    ------
    TooFew, NothingVaries
    """
    check_arms(control.outcome, treated.outcome, least=2)
    both = control + treated
    theta = both.covariance / both.before.variance if both.before.variance else 0.0
    one, two = _adjust(control, theta), _adjust(treated, theta)
    ratio = standard_error(one, two) / standard_error(control.outcome, treated.outcome)
    return Adjusted(one, two, theta, ratio)


def _adjust(arm: CovariateMoments, theta: float) -> AdjustedArm:
    variance = arm.outcome.variance + theta**2 * arm.before.variance - 2 * theta * arm.covariance
    mean = arm.outcome.mean - theta * arm.before.mean
    return AdjustedArm(arm.outcome.n, mean, max(0.0, variance), arm.outcome.mean)


def _spread(moments: Moments) -> int:
    return moments.n * moments.squares - moments.total**2
