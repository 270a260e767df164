"""Pareto/NBD: she may leave at any moment."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from changke.engine.clv.cores import on_every_core
from changke.engine.clv.fitting import Target
from changke.engine.clv.model import USUAL_GAP_DAYS, PurchaseModel
from changke.engine.clv.quadrature import legendre
from changke.engine.clv.statistics import Floats, Statistics
from changke.engine.special import betainc, digamma, expit, exprel, gammaln

POINTS = 32
SLOWER = 3
"""The power of `kept` below is one less."""
ROWS_AT_ONCE = 8_192


By = Callable[[slice, Floats], Floats]
"""Of some rows, the chance until a day each."""


class ParetoNBD(PurchaseModel):
    """The Pareto/NBD model: rate ~ Gamma(r, alpha), rate of leaving ~ Gamma(s, beta).

    Its likelihood is computed as an integral of a positive function, never as the difference of two hypergeometric
    functions, so that no past makes it lose its digits: docs/algorithms/clv.md.

    References
    ----------
    Schmittlein, Morrison, Colombo (1987): Counting Your Customers. Management Science 33(1), 1-24.
    Fader, Hardie (2005): A Note on Deriving the Pareto/NBD Model and Related Expressions.
    """

    name = "Pareto/NBD"
    parameters = ("r", "alpha", "s", "beta")
    times = ("alpha", "beta")
    usual: ClassVar[dict[str, float]] = {"r": 0.5, "alpha": 0.5 * USUAL_GAP_DAYS, "s": 0.6, "beta": USUAL_GAP_DAYS}
    leaving = "s"

    r: float
    alpha: float
    s: float
    beta: float

    def _likelihood(self, rows: Statistics) -> Target:
        counts, at = np.unique(rows.x, return_inverse=True)
        of_count = np.bincount(at, rows.n)
        x, t_x, T, n, customers = rows.x, rows.t_x, rows.T, rows.n, rows.customers

        def likelihood(values: Floats) -> tuple[float, Floats]:
            r, alpha, s, beta = values
            value = of_count @ gammaln(r + counts) + customers * (r * np.log(alpha) + s * np.log(beta) - gammaln(r))
            slope = np.array(
                [
                    of_count @ digamma(r + counts) + customers * (np.log(alpha) - digamma(r)),
                    customers * r / alpha,
                    customers * np.log(beta),
                    customers * s / beta,
                ]
            )
            events = r + x
            here = -events * np.log(alpha + T) - s * np.log(beta + T)
            left, moments = _left(events, s, alpha, beta, t_x, T)
            gone = expit(left - here)
            value += n @ np.logaddexp(here, left)
            stayed = n * (1 - gone)
            by = n * gone
            slope[0] -= stayed @ np.log(alpha + T) + by @ moments[0]
            slope[1] -= stayed @ (events / (alpha + T)) + by @ (events * moments[1])
            slope[2] += by.sum() / s - stayed @ np.log(beta + T) - by @ moments[2]
            slope[3] -= s * (stayed @ (1 / (beta + T))) + (s + 1) * (by @ moments[3])
            return float(value), slope

        return likelihood

    def _p_alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        events = self.r + x
        here = -events * np.log(self.alpha + T) - self.s * np.log(self.beta + T)
        left = _log_left(events, self.s, self.alpha, self.beta, t_x, T)
        return np.asarray(expit(here - left), float)

    def _p_active_of(self, alive: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        events, rate = self.r + x, self.alpha + T
        return alive * self._reached(
            horizon, T, lambda rows, day: -np.expm1(-events[rows] * np.log1p(day / rate[rows]))
        )

    def _at_least(self, n: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        events, rate, n = self.r + x, self.alpha + T, np.broadcast_to(n, x.shape)
        reached = self._reached(horizon, T, lambda rows, day: betainc(n[rows], events[rows], day / (rate[rows] + day)))
        return np.asarray(self._p_alive(x, t_x, T) * reached, float)

    def _reached(self, horizon: float, T: Floats, by: By) -> Floats:
        """The chance of whoever is here, given that until a day of the horizon: she leaves beyond it, or on one of the
        Gauss points within it.

        The points are spread as if she left a third as fast, since many purchases come of late days alone, which points
        that follow her leaving would pass over; and closer on the first days, where the chance of one begins steeply.
        """
        found = np.empty(len(T))
        ends = np.broadcast_to(np.asarray(horizon, float), T.shape)

        def say(rows: slice) -> None:
            leaving, end = self.beta + T[rows], ends[rows]
            grown, slow = np.log1p(end / leaving), self.s / SLOWER
            reached = np.exp(-self.s * grown) * by(rows, end)
            within = -np.expm1(-slow * grown)
            for node, weight in zip(*legendre(POINTS), strict=True):
                kept = 1 - within * node**2
                mass = (weight * 2 * node * SLOWER) * within * kept * kept
                reached += mass * by(rows, leaving * np.expm1(-np.log(kept) / slow))
            found[rows] = reached

        on_every_core(say, len(T), at_once=ROWS_AT_ONCE)
        return found

    def _moments_of(self, alive: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
        """Purchases are Poisson over the days that she is here of the horizon: E and E of the square of those days."""
        leaving = self.beta + T
        grown = np.log1p(horizon / leaving)
        days = leaving * grown * exprel((1 - self.s) * grown)
        squared = 2 * leaving**2 * grown * (exprel((2 - self.s) * grown) - exprel((1 - self.s) * grown))
        events, rate = self.r + x, self.alpha + T
        pairs = alive * events * (events + 1) / rate**2 * np.maximum(squared, 0.0)
        return np.asarray(alive * events / rate * days, float), np.asarray(pairs, float)


def _log_left(
    events: Floats, s: float, alpha: Floats | float, beta: Floats | float, start: Floats, end: Floats
) -> Floats:
    """The first of `_left` alone, of everybody: in blocks that stay near the processor, on every core."""
    found = np.empty(len(events))
    alpha, beta = np.broadcast_to(alpha, found.shape), np.broadcast_to(beta, found.shape)

    def work(block: slice) -> None:
        of = (events[block], s, alpha[block], beta[block], start[block], end[block])
        found[block] = _left(*of, with_means=False)[0]

    on_every_core(work, len(found), at_once=ROWS_AT_ONCE)
    return found


def _left(
    events: Floats,
    s: float,
    alpha: Floats | float,
    beta: Floats | float,
    start: Floats,
    end: Floats,
    *,
    with_means: bool = True,
) -> tuple[Floats, Floats]:
    """The logarithm of s x integral from start to end of (alpha+u)^-events (beta+u)^-(s+1) du.

    With it the means, weighted by what is integrated, of log(alpha+u), 1/(alpha+u), log(beta+u) and 1/(beta+u): the
    derivatives by events, alpha, s and beta (up to events and s + 1).
    """
    near = np.minimum(alpha, beta)
    base, wide = np.log(near + start), np.log(near + end) - np.log(near + start)
    # How fast the integrand falls in w = log(near+u) - base where it begins: the points follow that exponential.
    steep = (near + start) * (events / (alpha + start) + (s + 1) / (beta + start)) - 1
    steep = np.where(np.abs(steep) < 1e-9, 1e-9, steep)
    mass_of_all = -np.expm1(-steep * wide)
    apart = np.abs(np.subtract(alpha, beta))
    alpha_near, leaves = np.less_equal(alpha, beta), np.full(len(events), s + 1)
    power_near, power_far = np.where(alpha_near, (events, leaves), (leaves, events))
    total = np.zeros(len(events))
    moments = np.zeros((4, len(events) if with_means else 0))
    first = events * np.log(alpha + start) + (s + 1) * np.log(beta + start)
    for node, weight in zip(*legendre(POINTS), strict=True):
        w = -np.log1p(-node * mass_of_all) / steep
        log_near = base + w
        by_near = np.exp(log_near)
        log_far = np.log(by_near + apart)
        mass = weight * np.exp((steep + 1) * w - power_near * log_near - power_far * log_far + first)
        total += mass
        if with_means:
            by_alpha, by_beta = by_near + (alpha - near), by_near + (beta - near)
            log_alpha, log_beta = np.where(alpha_near, (log_near, log_far), (log_far, log_near))
            moments += mass * np.stack([log_alpha, 1 / by_alpha, log_beta, 1 / by_beta])
    with np.errstate(divide="ignore", invalid="ignore"):
        log_left = np.log(s) + base - first + np.log(total * mass_of_all / steep)
        return log_left, np.nan_to_num(moments / total) if with_means else moments
