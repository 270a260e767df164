"""Whether an order of customers by expected uplift is better than chance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from changke.engine.experiments.uplift import checked
from changke.engine.refusals import between, whole

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class UpliftCurve:
    """What is gained by treating the best of the order.

    Attributes
    ----------
    customers : shape (points,)
        How many, from 0 to all; equal scores are one step.
    gain : shape (points,)
        Outcome of the treated among them, less that of the control scaled to as many.
    """

    customers: Floats
    gain: Floats

    @property
    def area(self) -> float:
        return float(np.trapezoid(self.gain, self.customers))


@dataclass(frozen=True)
class Qini:
    """The Qini coefficient beside what random orders of the same customers reach.

    Attributes
    ----------
    value
        0 for a random order, 1 for the best possible one.
    random_deviation, random_bound
        Standard deviation, and upper 97.5 per cent quantile, of random orders.
    """

    value: float
    random_deviation: float
    random_bound: float

    @property
    def is_above_chance(self) -> bool:
        return self.value > self.random_bound


def uplift_curve(outcome: npt.ArrayLike, score: npt.ArrayLike, treated: npt.ArrayLike) -> UpliftCurve:
    """Sort by score, highest first, and add up (Radcliffe 2007). Arguments of shape (customers,).

    Raises
    ------
    NotFinite, OneArm, TooFew
    """
    scores, arm, y = checked(score, treated, outcome)
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return _curve(y[order], arm[order], ends)


def qini(
    outcome: npt.ArrayLike,
    score: npt.ArrayLike,
    treated: npt.ArrayLike,
    *,
    generator: np.random.Generator,
    random_orders: int = 200,
) -> Qini:
    """The area above the straight line, as a share of that of the best possible order, with its band of chance.

    For customers the score was not fitted on. The best possible order puts those first who were treated and said yes,
    and those last who said yes untreated. `generator` draws the random orders.

    Raises
    ------
    NotFinite, OneArm, TooFew
    """
    whole("random_orders", random_orders, least=2)
    _, arm, y = checked(score, treated, outcome)
    curve = uplift_curve(y, score, arm)
    line = 0.5 * curve.customers[-1] * curve.gain[-1]
    best = uplift_curve(y, np.where(arm, y, -y), arm).area - line
    if best <= 0:
        return Qini(0.0, 0.0, 0.0)
    singly = np.arange(len(y))
    chance = np.empty(random_orders)
    for turn in range(random_orders):
        shuffled = generator.permutation(len(y))
        chance[turn] = (_curve(y[shuffled], arm[shuffled], singly).area - line) / best
    return Qini((curve.area - line) / best, float(chance.std()), float(np.quantile(chance, 0.975)))


def uplift_among_top(
    outcome: npt.ArrayLike, score: npt.ArrayLike, treated: npt.ArrayLike, *, share: float = 0.3
) -> float:
    """The effect among the best `share` of the order, per customer; NaN if one arm is missing among them."""
    between("share", share, least=0, most=1)
    scores, arm, y = checked(score, treated, outcome)
    top = np.argsort(-scores, kind="stable")[: int(len(y) * share)]
    if arm[top].all() or not arm[top].any():
        return float("nan")
    return float(y[top][arm[top]].mean() - y[top][~arm[top]].mean())


def _curve(y: Floats, arm: npt.NDArray[np.bool_], ends: npt.NDArray[np.int64]) -> UpliftCurve:
    count_treated = np.cumsum(arm)[ends].astype(float)
    count = (ends + 1).astype(float)
    count_control = count - count_treated
    treated, control = np.cumsum(y * arm)[ends], np.cumsum(y * ~arm)[ends]
    ratio = np.divide(count_treated, count_control, out=np.zeros_like(count), where=count_control > 0)
    return UpliftCurve(np.append(0.0, count), np.append(0.0, treated - control * ratio))
