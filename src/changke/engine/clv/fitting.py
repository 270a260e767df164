"""Find the parameters: on logarithms, in a box, with an exact gradient; and say how it went."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from changke.engine.clv.statistics import Floats, Statistics
from changke.engine.later import Later

if TYPE_CHECKING:
    import scipy
else:
    scipy = Later("scipy")

EDGE = 14.0  # exp(14) = 1,200,000 times the unit of time or of a coin: beyond it nothing changes in the predictions
SAMPLE = 20_000  # rows of the first, rough search
FEW = 10  # customers who came back, below which a likelihood alone says whatever it likes

Target = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True)
class Prior:
    """Where the logarithms of the parameters are held, and how tightly.

    `curved`: how the likelihood of one customer curves there, if that is known; the search is then shorter.
    """

    centre: Floats
    precision: Floats
    curved: Floats | None = None

    def at(self, point: Floats) -> tuple[float, Floats]:
        """The penalty and its gradient."""
        away = self.precision @ (point - self.centre)
        return 0.5 * float((point - self.centre) @ away), away


@dataclass(frozen=True)
class Fit:
    """How a fit went, for a model card.

    Attributes
    ----------
    log_likelihood
        At the optimum, of all customers; NaN where nothing was learned.
    fallback
        Why the parameters are not the plain maximum of the likelihood, in one word; None if they are.
    notes
        The same in sentences.
    """

    log_likelihood: float
    customers: int
    returned: int
    rows: int
    evaluations: int
    converged: bool
    fallback: str | None = None
    notes: tuple[str, ...] = ()
    boundary: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Found:
    point: Floats
    value: float
    evaluations: int
    converged: bool


def climb(target: Target, start: Floats, *, exact: bool = True, shape: Floats | None = None) -> Found:
    """The maximum of `target` in the box.

    `shape`: how it curves near `start`, if that is known; the search then walks in coordinates in which it is round.
    """
    if shape is not None:
        return _climb_round(target, start, shape)

    def downhill(point: Floats) -> tuple[float, Floats]:
        value, slope = target(point)
        return (-value, -slope) if np.isfinite(value) and np.isfinite(slope).all() else (1e300, np.zeros_like(point))

    options = {"ftol": 1e-14, "gtol": 1e-8, "maxiter": 500} if exact else {"ftol": 1e-9, "gtol": 1e-5, "maxiter": 100}
    found = scipy.optimize.minimize(
        downhill,
        np.clip(start, -EDGE, EDGE),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-EDGE, EDGE)] * len(start),
        options=options,
    )
    slope = np.where(np.abs(found.x) < EDGE, found.jac, 0.0)
    converged = bool(found.success or np.abs(slope).max() < 1e-4)
    return Found(np.asarray(found.x, float), -float(found.fun), int(found.nfev), converged)


def _climb_round(target: Target, start: Floats, shape: Floats) -> Found:
    stretch = np.linalg.inv(np.linalg.cholesky(shape)).T  # start + stretch @ steps: the curvature there is one

    def stretched(steps: Floats) -> tuple[float, Floats]:
        value, slope = target(start + stretch @ steps)
        return value, stretch.T @ slope

    found = climb(stretched, np.zeros_like(start))
    point = start + stretch @ found.point
    if not found.converged or np.abs(point).max() >= EDGE:
        return climb(target, start)  # the ground is not as it was surveyed
    return Found(point, found.value, found.evaluations, found.converged)


def surveyed(target: Target, point: Floats) -> Floats | None:
    """How `target` curves downwards at a maximum, from differences of its slope; None at an edge or on a plain."""
    if np.abs(point).max() > 0.5 * EDGE:
        return None
    step = 1e-3
    across = [target(point - step * along)[1] - target(point + step * along)[1] for along in np.eye(len(point))]
    shape = np.array(across) / (2 * step)
    shape = (shape + shape.T) / 2
    if not np.isfinite(shape).all() or np.linalg.eigvalsh(shape)[0] <= 1e-8 * np.abs(shape).max():
        return None
    return shape


def sample(rows: Statistics) -> Statistics | None:
    """Some of the rows, heavy and light alike, or None if there are few anyway."""
    if len(rows.x) < 5 * SAMPLE:
        return None
    chosen = np.random.default_rng(0).choice(len(rows.x), SAMPLE, replace=False)
    return Statistics(rows.x[chosen], rows.t_x[chosen], rows.T[chosen], rows.n[chosen])
