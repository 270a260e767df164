"""Models of customers who come by the clock: a purchase is the k-th tick of her rate, not the first."""

from typing import Any, ClassVar

import numpy as np

from changke.engine.clv.coins import CoinModel
from changke.engine.clv.fitting import Prior, Target
from changke.engine.clv.statistics import Floats, Statistics
from changke.engine.refusals import whole
from changke.engine.special import betainc, betaln, digamma, expit, gammaln, softmax

ENOUGH = 1e-10
"""A share of the mean below which what comes further is left out."""
MOST_DAYS = 100_000


class RegularModel(CoinModel):
    """Gaps ~ Erlang-k of her own rate, rate ~ Gamma(r, alpha), coin ~ Beta(a, b). With k = 1 it is the plain model.

    Everything stays closed: how many of the k ticks to the next purchase have passed unseen since the last one is one
    of k cases, each with a gamma distributed rate. docs/algorithms/clv.md
    """

    k: int

    def __init__(self, *, k: int = 1, **values: float) -> None:
        self.k = whole("k", k, least=1)
        super().__init__(**values)

    def _likelihood(self, rows: Statistics) -> Target:
        x, t_x, T, n, customers = rows.x, rows.t_x, rows.T, rows.n, rows.customers
        coins = x + self.first_coin
        thrown = coins > 0
        last = np.maximum(coins - 1, 0.0)

        def likelihood(values: Floats) -> tuple[float, Floats]:
            r, alpha, a, b = values
            events = r + self.k * x
            cases = self._cases(r, alpha, x, t_x, T)
            share = softmax(cases, axis=0)
            ticks = np.arange(self.k)[:, None]
            here = betaln(a, b + coins) + _log_sum(cases)
            gone = np.where(thrown, betaln(a + 1, b + last) + gammaln(events) - events * np.log(alpha + t_x), -np.inf)
            value = n @ np.logaddexp(here, gone) + customers * (r * np.log(alpha) - gammaln(r) - betaln(a, b))
            left = n * expit(gone - here)
            stayed = n - left
            both = digamma(a + b + coins)
            at = (share * digamma(events + ticks)).sum(axis=0) - np.log(alpha + T)
            slope = np.array(
                [
                    customers * (np.log(alpha) - digamma(r)) + stayed @ at
                    + left @ (digamma(events) - np.log(alpha + t_x)),
                    customers * r / alpha - stayed @ ((events + (share * ticks).sum(axis=0)) / (alpha + T))
                    - left @ (events / (alpha + t_x)),
                    n @ (digamma(a) - both) + left.sum() / a - customers * (digamma(a) - digamma(a + b)),
                    stayed @ (digamma(b + coins) - both) + left @ (digamma(b + last) - both)
                    - customers * (digamma(b) - digamma(a + b)),
                ]
            )  # fmt: skip
            return float(value), slope

        return likelihood

    def _cases(self, r: float, alpha: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """Of each number of ticks unseen since the last purchase, the logarithm of how likely it is: k rows."""
        silent, events, age = T - t_x, r + self.k * x, np.log(alpha + T)
        with np.errstate(divide="ignore"):
            log_silent = np.log(silent)
        rows = [gammaln(events) - events * age]
        rows += [j * (log_silent - age) - gammaln(j + 1) + gammaln(events + j) - events * age for j in range(1, self.k)]
        return np.array(rows)

    def _p_alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        coins, events = x + self.first_coin, self.r + self.k * x
        here = betaln(self.a, self.b + coins) + _log_sum(self._cases(self.r, self.alpha, x, t_x, T))
        last = np.maximum(coins - 1, 0.0)
        gone = betaln(self.a + 1, self.b + last) + gammaln(events) - events * np.log(self.alpha + t_x)
        return np.where(coins > 0, expit(here - gone), 1.0)

    def _p_active_of(self, alive: Floats, horizon: float | Floats, x: Floats, t_x: Floats, T: Floats) -> Floats:
        now, then = (_log_sum(self._cases(self.r, self.alpha, x, t_x, T + more)) for more in (0.0, horizon))
        return np.asarray(alive * np.clip(-np.expm1(then - now), 0.0, 1.0), float)

    def _at_least(self, n: Floats, horizon: float | Floats, x: Floats, t_x: Floats, T: Floats) -> Floats:
        coins = x + self.first_coin
        stayed = np.exp(betaln(self.a, self.b + coins + n - 1) - betaln(self.a, self.b + coins))
        share = softmax(self._cases(self.r, self.alpha, x, t_x, T), axis=0)
        reached = self._reached(n, horizon, share, x, T)
        return np.asarray(self._p_alive(x, t_x, T) * stayed * reached, float)

    def _reached(self, n: Floats | float, horizon: float | Floats, share: Floats, x: Floats, T: Floats) -> Floats:
        """How likely the ticks for n purchases fall into the horizon, of whoever does not leave before."""
        within, events = horizon / (self.alpha + T + horizon), self.r + self.k * x
        ways = [share[j] * betainc(self.k * n - j, events + j, within) for j in range(self.k)]
        return np.asarray(np.sum(ways, axis=0), float)

    def _moments_of(self, alive: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
        """Sums over the numbers themselves, until nothing more comes."""
        mean, pairs, stayed = np.zeros(len(x)), np.zeros(len(x)), np.ones(len(x))
        share, coins = softmax(self._cases(self.r, self.alpha, x, t_x, T), axis=0), x + self.first_coin
        todo = np.arange(len(x))
        for n in range(1, MOST_DAYS):
            if not len(todo):
                break
            more = stayed[todo] * self._reached(float(n), horizon, share[:, todo], x[todo], T[todo])
            mean[todo] += more
            pairs[todo] += 2 * (n - 1) * more
            kept = self.b + coins[todo] + n - 1
            stayed[todo] *= kept / (self.a + kept)
            todo = todo[more * n > ENOUGH * mean[todo]]
        return alive * mean, alive * pairs

    def _mean_of(self, alive: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        return self._moments_of(alive, horizon, x, t_x, T)[0]

    def _unit_term(self, rows: Statistics, unit: float) -> float:
        return self.k * super()._unit_term(rows, unit)

    def _start(self, rows: Statistics, unit: float) -> Floats:
        return self._faster(super()._start(rows, unit))

    def _weak_prior(self, rows: Statistics, unit: float) -> Prior:
        prior = super()._weak_prior(rows, unit)
        return Prior(self._faster(prior.centre), prior.precision)

    def _faster(self, point: Floats) -> Floats:
        """k ticks for each purchase."""
        point = point.copy()
        point[self.parameters.index("alpha")] -= np.log(self.k)
        return point

    def __repr__(self) -> str:
        return super().__repr__().replace("(", f"(k={self.k}, ", 1).replace(", )", ")")

    def _further(self) -> dict[str, object]:
        return {"k": self.k}

    @classmethod
    def _back(cls, kept: dict[str, Any]) -> dict[str, Any]:
        return {"k": int(kept["k"])}


class BGCNBD(RegularModel):
    """BG/CNBD-k: she may leave after each repeat purchase, and comes the more by the clock the larger k is.

    References
    ----------
    Reutterer, Platzer, Schröder (2021): Leveraging purchase regularity for predicting customer behavior the easy way.
    International Journal of Research in Marketing 38(1), 194-215.
    """

    name: ClassVar[str] = "BG/CNBD-k"
    first_coin = 0


class MBGCNBD(RegularModel):
    """MBG/CNBD-k: the same, and she may leave after the first purchase too."""

    name: ClassVar[str] = "MBG/CNBD-k"
    first_coin = 1


def _log_sum(cases: Floats) -> Floats:
    top = cases.max(axis=0)
    return np.asarray(top + np.log(np.exp(cases - top).sum(axis=0)), float)
