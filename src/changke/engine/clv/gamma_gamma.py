"""Gamma-Gamma: the mean money of a customer's days, shrunk to the shop's."""

from typing import Any, Self

import numpy as np

from changke.engine.clv.fitting import EDGE, FEW, Fit, Prior, climb
from changke.engine.clv.spend import SpendModel, money_of
from changke.engine.clv.statistics import Floats
from changke.engine.special import betaincinv, digamma, gammaincinv, gammaln

LEAST_Q = 1.05  # at 1 the expected mean is infinite


class GammaGamma(SpendModel):
    """The gamma-gamma model of spend, independent of how often somebody buys.

    References
    ----------
    Fader, Hardie (2013): The Gamma-Gamma Model of Monetary Value. http://brucehardie.com/notes/025/
    """

    name = "Gamma-Gamma"
    parameters = ("p", "q", "gamma")

    p: float
    q: float
    gamma: float

    def fit(self, data: Any) -> Self:
        """Learn from customers who came back and whose repeat days brought money."""
        x, mean = money_of(data)
        used = (x > 0) & (mean > 0) & np.isfinite(mean)
        if not used.any():
            usual = {"p": 1.0, "q": 3.0, "gamma": 2.0}
            return self._nothing_learned(
                usual, 0, "nobody_paid_twice", "no repeat day brought money: values of no shop"
            )
        days, means = x[used], mean[used]
        unit = float(np.exp(np.average(np.log(means))))
        prior, fallback, notes = None, None, list[str]()
        centre = np.log(np.array([2.0, 3.0, 2.0]))
        if used.sum() < FEW:
            prior, fallback = Prior(centre, np.eye(3)), "few"
            notes.append(f"only {int(used.sum())} customers paid on a repeat day: held near usual values")

        def target(point: Floats) -> tuple[float, Floats]:
            value, slope = _likelihood(np.exp(point), days, means / unit)
            slope = slope * np.exp(point)
            if prior is not None:
                penalty, pull = prior.at(point)
                value, slope = value - penalty, slope - pull
            return value / len(days), slope / len(days)

        found = climb(target, centre)
        p, q, gamma = np.exp(found.point)
        if q < LEAST_Q:
            held = climb(lambda two: _without_q(target, two), found.point[[0, 2]])
            found, (p, gamma), q = held, np.exp(held.point), LEAST_Q
            fallback = fallback or "heavy_tail"
            notes.append(f"the tail is so heavy that the mean would be infinite: q is held at {LEAST_Q}")
        penalty = prior.at(np.log([p, q, gamma]))[0] if prior is not None else 0.0
        self._set({"p": p, "q": q, "gamma": gamma * unit})
        self.fit_ = Fit(
            log_likelihood=found.value * len(days) + penalty - len(days) * float(np.log(unit)),
            customers=len(x), returned=len(days), rows=len(days), evaluations=found.evaluations,
            converged=found.converged,
            fallback=fallback, notes=tuple(notes), boundary=tuple(
                name for name, at in zip(self.parameters, np.log([p, q, gamma]), strict=True) if abs(at) > 0.6 * EDGE
            ),
        )  # fmt: skip
        return self

    def expected_spend(self, data: Any) -> Floats:
        """(gamma + x mean) p / (p x + q - 1); the shop's mean for whoever never paid on a repeat day."""
        x, mean = _seen(data)
        return (self.gamma + x * mean) * self.p / (self.p * x + self.q - 1)

    def variance_of_spend(self, data: Any) -> tuple[Floats, Floats]:
        """A day is Gamma(p, nu) with nu ~ Gamma(q + p x, gamma + x mean): E[p / nu^2] and Var(p / nu)."""
        x, mean = _seen(data)
        shape, rate = self.q + self.p * x, self.gamma + x * mean
        least = np.maximum(shape, 2.1)  # below 2 the variance is infinite
        square = rate**2 / ((least - 1) * (least - 2))
        return self.p * square, self.p**2 * (square - (rate / (least - 1)) ** 2)

    def _quantile(self, data: Any, edge: float, of: str) -> Floats:
        x, mean = _seen(data)
        shape, rate = self.q + self.p * x, self.gamma + x * mean
        if of == "mean":
            return np.asarray(self.p * rate / gammaincinv(shape, 1 - edge), float)
        part = betaincinv(self.p, shape, edge)
        return np.asarray(rate * part / (1 - part), float)


def _seen(data: Any) -> tuple[Floats, Floats]:
    x, mean = money_of(data)
    paid = (mean > 0) & np.isfinite(mean)
    return np.where(paid, x, 0.0), np.where(paid, mean, 0.0)


def _likelihood(values: Floats, x: Floats, mean: Floats) -> tuple[float, Floats]:
    p, q, gamma = values
    shape, total = p * x + q, gamma + x * mean
    log_total = np.log(total)
    value = gammaln(shape) - gammaln(p * x) - gammaln(q) + q * np.log(gamma)
    value = value + (p * x - 1) * np.log(mean) + p * x * np.log(x) - shape * log_total
    by_p = x * (digamma(shape) - digamma(p * x) + np.log(mean) + np.log(x) - log_total)
    by_q = digamma(shape) - digamma(q) + np.log(gamma) - log_total
    return float(value.sum()), np.array([by_p.sum(), by_q.sum(), (q / gamma - shape / total).sum()])


def _without_q(target: Any, two: Floats) -> tuple[float, Floats]:
    value, slope = target(np.array([two[0], np.log(LEAST_Q), two[1]]))
    return value, slope[[0, 2]]
