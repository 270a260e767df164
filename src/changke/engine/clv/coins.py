"""Models in which a customer throws a coin of her own after a purchase, and leaves when it falls so."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy.special import betainc, betaln, digamma, expit, gammaln, log_expit

from changke.engine.clv.fitting import Target
from changke.engine.clv.model import USUAL_GAP_DAYS, PurchaseModel
from changke.engine.clv.quadrature import beta_points
from changke.engine.clv.statistics import Floats, Statistics, distinct

MOST_COINS_AT_ONCE = 4096
ROWS_AT_ONCE = 8192
"""So that what is computed of them stays in the processor's own memory."""


class CoinModel(PurchaseModel):
    """Rate ~ Gamma(r, alpha), coin ~ Beta(a, b). Subclasses say whether the first purchase throws one too."""

    parameters = ("r", "alpha", "a", "b")
    times = ("alpha",)
    usual: ClassVar[dict[str, float]] = {"r": 0.5, "alpha": 0.5 * USUAL_GAP_DAYS, "a": 0.6, "b": 2.4}
    leaving = "a"
    first_coin: ClassVar[int]

    r: float
    alpha: float
    a: float
    b: float

    def _likelihood(self, rows: Statistics) -> Target:
        counts, at = np.unique(rows.x, return_inverse=True)
        of_count = np.bincount(at, rows.n)
        coins = counts + self.first_coin
        thrown = rows.x + self.first_coin > 0
        ages, age_at = np.unique(rows.T, return_inverse=True)
        never = np.bincount(age_at[~thrown], rows.n[~thrown], minlength=len(ages))
        age_at = age_at[thrown]
        lasts, last_at = np.unique(rows.t_x[thrown], return_inverse=True)
        bought, n, coin = rows.x[thrown], rows.n[thrown], rows.x[thrown] + self.first_coin - 1
        customers = rows.customers

        def likelihood(values: Floats) -> tuple[float, Floats]:
            r, alpha, a, b = values
            both, both_then = digamma(a + b), digamma(a + b + coins)
            log_ages, log_lasts = np.log(alpha + ages), np.log(alpha + lasts)
            value = of_count @ (gammaln(r + counts) + gammaln(b + coins) - gammaln(a + b + coins))
            value += customers * (r * np.log(alpha) - gammaln(r) + gammaln(a + b) - gammaln(b))
            value -= r * (never @ log_ages)
            of_r = of_count @ digamma(r + counts) + customers * (np.log(alpha) - digamma(r)) - never @ log_ages
            of_alpha = customers * r / alpha - r * (never @ (1 / (alpha + ages)))
            of_a = customers * both - of_count @ both_then
            of_b = of_a + of_count @ digamma(b + coins) - customers * digamma(b)
            # Whoever threw a coin is still here, or left after her last purchase: `gone` is the share of the second.
            log_age, log_last = log_ages[age_at], log_lasts[last_at]
            events = r + bought
            away = np.log(a / (b + coin)) + events * (log_age - log_last)
            gone = expit(away)
            weighted_gone = n * gone
            value += n @ (-log_expit(-away) - events * log_age)
            of_r -= n @ log_age - weighted_gone @ (log_age - log_last)
            by_age, by_last = 1 / (alpha + ages), 1 / (alpha + lasts)
            here = (n - weighted_gone) * events
            of_alpha -= here @ by_age[age_at] + (weighted_gone * events) @ by_last[last_at]
            of_a += weighted_gone.sum() / a
            of_b -= weighted_gone @ (1 / (b + coin))
            return float(value), np.array([of_r, of_alpha, of_a, of_b])

        return likelihood

    def _log_odds_gone(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        coins = x + self.first_coin
        with np.errstate(divide="ignore"):
            away = np.log(self.a / np.maximum(self.b + coins - 1, 1e-300))
        away = away + (self.r + x) * (np.log(self.alpha + T) - np.log(self.alpha + t_x))
        return np.where(coins > 0, away, -np.inf)

    def _p_alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        return np.asarray(expit(-self._log_odds_gone(x, t_x, T)), float)

    def _p_active_of(self, alive: Floats, horizon: float | Floats, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """Of one horizon, or of one for each row."""
        silent = -np.expm1(-(self.r + x) * np.log1p(horizon / (self.alpha + T)))
        return alive * silent

    def _at_least(self, n: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        coins = x + self.first_coin
        stayed = np.exp(betaln(self.a, self.b + coins + n - 1) - betaln(self.a, self.b + coins))
        reached = betainc(n, self.r + x, horizon / (self.alpha + T + horizon))
        return np.asarray(self._p_alive(x, t_x, T) * stayed * reached, float)

    def _moments_of(self, alive: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
        mean, pairs, place = self._of_living(horizon, x, T, _given_coin)
        return alive * mean[place], alive * pairs[place]

    def _mean_of(self, alive: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        mean, _, place = self._of_living(horizon, x, T, _mean_given_coin)
        return np.asarray(alive * mean[place], float)

    def _of_living(self, horizon: float, x: Floats, T: Floats, given: "Given") -> tuple[Floats, Floats, Any]:
        """The moments of whoever is here for certain, of distinct counts and ages; and where everybody stands."""
        (counts, ages), place = distinct(x, T)
        mean, pairs = np.zeros(len(counts)), np.zeros(len(counts))
        by_count, at = np.unique(counts, return_inverse=True)
        order = np.argsort(at, kind="stable")
        ends = np.searchsorted(at[order], np.arange(0, len(by_count) + MOST_COINS_AT_ONCE, MOST_COINS_AT_ONCE))
        for k in range(0, len(by_count), MOST_COINS_AT_ONCE):
            some = by_count[k : k + MOST_COINS_AT_ONCE]
            coin, weight = _points(self.a, self.b, self.first_coin, some.tobytes())
            chosen = order[ends[k // MOST_COINS_AT_ONCE] : ends[k // MOST_COINS_AT_ONCE + 1]]
            for begin in range(0, len(chosen), ROWS_AT_ONCE):
                rows = chosen[begin : begin + ROWS_AT_ONCE]
                here, shape, rate = at[rows] - k, self.r + counts[rows], self.alpha + ages[rows]
                ones, twos = np.zeros(len(rows)), np.zeros(len(rows))
                for p, share in zip(coin[:, here], weight[:, here], strict=True):
                    one, two = given(p, shape, rate, horizon)
                    ones += share * one
                    twos += share * two
                mean[rows], pairs[rows] = ones, twos
        return mean, pairs, place


Given = Callable[[Floats, Floats, Floats, float], tuple[Floats, Floats | float]]


@lru_cache(maxsize=16)
def _points(a: float, b: float, first_coin: int, counts: bytes) -> tuple[Floats, Floats]:
    """Nodes and weights of the coins of customers with these counts, node by node: they do not depend on a horizon."""
    some = np.frombuffer(counts)
    nodes, weights = beta_points(np.full(len(some), a), b + some + first_coin)
    return np.ascontiguousarray(nodes.T), np.ascontiguousarray(weights.T)


def _mean_given_coin(p: Floats, shape: Floats, rate: Floats, horizon: float) -> tuple[Floats, float]:
    """The first of `_given_coin` alone."""
    c = p * horizon / rate
    with np.errstate(all="ignore"):
        one = -np.expm1(-shape * np.log1p(c)) / p
    small = shape * c < 1e-4
    if small.any():
        one = np.where(small, shape * (horizon / rate) * (1 - (shape + 1) * c / 2), one)
    return one, 0.0


def _given_coin(p: Floats, shape: Floats, rate: Floats, horizon: float) -> tuple[Floats, Floats]:
    """E[Y] and E[Y (Y - 1)] of somebody who is here, leaves with probability p after each, lambda ~ Gamma(shape, rate).

    (1 - (1 + c)^-s) / p and 2 (1 - p) / p^2 (1 - (1 + c)^-s (1 + s c / (1 + c))) with c = p h / rate; for small s c
    both lose their digits and the first terms of their series stand in.
    """
    c = p * horizon / rate
    grown = np.log1p(c)
    per_coin = horizon / rate
    with np.errstate(all="ignore"):
        one = -np.expm1(-shape * grown) / p
        two = 2 * (1 - p) / p**2 * -(np.expm1(-shape * grown) + np.exp(-shape * grown) * shape * c / (1 + c))
    small = shape * c < 1e-4
    first = shape * per_coin
    series_one = first * (1 - (shape + 1) * c / 2)
    series_two = (1 - p) * first * (shape + 1) * per_coin * (1 - 2 * (shape + 2) * c / 3)
    return np.where(small, series_one, one), np.where(small, series_two, two)
