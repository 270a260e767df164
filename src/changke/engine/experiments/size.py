"""How many customers are needed, and what could be seen with those one has: asked before the start."""

from dataclasses import dataclass
from math import ceil, isfinite, sqrt

from changke.engine.experiments.distributions import normal_quantile
from changke.engine.refusals import NotFinite, Refusal

WHOLE_BP = 10_000


class NotAPlan(Refusal):
    """An effect of zero, a share of nobody, a rate beyond 0 and 1: no number of customers answers that."""

    code = "not_a_plan"


@dataclass(frozen=True)
class Size:
    """Customers needed in each arm."""

    control: int
    treated: int

    @property
    def both(self) -> int:
        return self.control + self.treated


def customers_needed(
    *, effect: float, deviation: float, control_bp: int = 5_000, alpha: float = 0.05, power: float = 0.8
) -> Size:
    """How many it takes to see a lift of `effect` with probability `power`.

    Parameters
    ----------
    effect
        Minor units per customer, either sign.
    deviation
        Standard deviation of one customer's margin in such a period, in minor units; that of the past will do.
    control_bp
        The share of the control arm.

    Raises
    ------
    NotAPlan, NotFinite
    """
    if not deviation > 0:
        raise NotAPlan(f"a deviation of {deviation}")
    return _size(effect, deviation**2, deviation**2, control_bp, alpha, power)


def customers_needed_for_rates(
    *, rate: float, effect: float, control_bp: int = 5_000, alpha: float = 0.05, power: float = 0.8
) -> Size:
    """The same for a yes-or-no outcome: from `rate` to `rate + effect`."""
    if not (0 <= rate <= 1 and 0 <= rate + effect <= 1):
        raise NotAPlan(f"from {rate} by {effect} leads out of 0 to 1")
    raised = rate + effect
    return _size(effect, rate * (1 - rate), raised * (1 - raised), control_bp, alpha, power)


def smallest_effect(*, control: int, treated: int, deviation: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest lift, in the unit of `deviation`, that so many customers would show with probability `power`."""
    if not all(map(isfinite, (control, treated, deviation))):
        raise NotFinite("NaN or an infinity in the plan")
    if min(control, treated) < 1 or not deviation > 0:
        raise NotAPlan(f"{control} and {treated} customers, deviation {deviation}")
    return _z(alpha, power) * deviation * sqrt(1 / control + 1 / treated)


def _size(effect: float, one: float, two: float, control_bp: int, alpha: float, power: float) -> Size:
    if not all(map(isfinite, (effect, one, two))):
        raise NotFinite("NaN or an infinity in the plan")
    if not effect or one + two <= 0 or not 0 < control_bp < WHOLE_BP:
        raise NotAPlan(f"effect {effect}, variances {one} and {two}, control {control_bp} basis points")
    share = control_bp / WHOLE_BP
    both = (_z(alpha, power) / effect) ** 2 * (one / share + two / (1 - share))
    return Size(ceil(both * share), ceil(both * (1 - share)))


def _z(alpha: float, power: float) -> float:
    if not (0 < alpha < 1 and 0 < power < 1):
        raise NotAPlan(f"alpha {alpha} and power {power} lie between 0 and 1")
    return normal_quantile(1 - alpha / 2) + normal_quantile(power)
