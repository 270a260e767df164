"""Models in which a customer throws a coin of her own after a purchase, and leaves when it falls so."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from changke.engine.clv.cores import on_every_core
from changke.engine.clv.fitting import Target
from changke.engine.clv.model import USUAL_GAP_DAYS, PurchaseModel
from changke.engine.clv.quadrature import beta_points
from changke.engine.clv.statistics import Floats, Statistics, distinct, dot
from changke.engine.special import betainc, betaln, digamma, gammaln

Places = npt.NDArray[np.int32]

MOST_COINS_AT_ONCE = 4096
ROWS_AT_ONCE = 8192
"""So that what is computed of them stays in the processor's own memory."""

ASKED_AT_ONCE = 4 * ROWS_AT_ONCE
"""Who is here asks less of each row."""


TINY = 1e-300
SURELY_HERE = -700.0
"""Logarithm of odds below which one added to them is one; of minus infinity an exponential takes twice as long."""


class Tables(NamedTuple):
    """What the likelihood asks of a count, an age and a last day: computed once of each, looked up by every row."""

    r: float
    log_odds: Floats
    by_coin: Floats
    log_ages: Floats
    by_age: Floats
    log_lasts: Floats
    by_last: Floats


class Came(NamedTuple):
    """Distinct rows of customers who have thrown a coin: they are still here, or left after their last purchase."""

    x: Floats
    n: Floats
    count_at: Places
    age_at: Places
    last_at: Places

    def sums(self, tables: Tables) -> Floats:
        """Their part of the log-likelihood, of its slope by r and by alpha, how many are gone, and of its slope by b.

        Some thousands of rows at a time: what is computed of them stays in the processor's own memory.
        """
        found = np.zeros(5)
        for begin in range(0, len(self.x), ROWS_AT_ONCE):
            rows = slice(begin, begin + ROWS_AT_ONCE)
            places = (self.count_at[rows], self.age_at[rows], self.last_at[rows])
            found += _sums(Came(self.x[rows], self.n[rows], *places), tables)
        return found


def _sums(came: Came, tables: Tables) -> Floats:
    events = tables.r + came.x
    log_age, log_last = tables.log_ages[came.age_at], tables.log_lasts[came.last_at]
    apart = log_age - log_last
    away = tables.log_odds[came.count_at] + events * apart
    small = np.exp(-np.abs(away))  # one exponential gives both: the share who left, and log(1 + exp(away))
    both = 1 + small
    sure = 1 / both
    gone = came.n * np.where(away > 0, sure, small * sure)
    here = (came.n - gone) * events
    either = np.maximum(away, 0) + np.log(both)  # beside a log-likelihood, what log1p would keep is nothing
    return np.array([
        dot(came.n, either - events * log_age),
        dot(gone, apart) - dot(came.n, log_age),
        -dot(here, tables.by_age[came.age_at]) - dot(gone * events, tables.by_last[came.last_at]),
        gone.sum(),
        -dot(gone, tables.by_coin[came.count_at]),
    ])  # fmt: skip


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
        of_count = np.bincount(at, rows.n).astype(float)
        coins = counts + self.first_coin
        thrown = rows.x + self.first_coin > 0
        ages, age_at = np.unique(rows.T, return_inverse=True)
        never = np.bincount(age_at[~thrown], rows.n[~thrown], minlength=len(ages)).astype(float)
        lasts, last_at = np.unique(rows.t_x[thrown], return_inverse=True)
        at_count, at_age, at_last = (index.astype(np.int32) for index in (at[thrown], age_at[thrown], last_at))
        came = Came(rows.x[thrown], rows.n[thrown], at_count, at_age, at_last)
        customers = rows.customers

        def likelihood(values: Floats) -> tuple[float, Floats]:
            r, alpha, a, b = values
            both, both_then = digamma(a + b), digamma(a + b + coins)
            log_ages, log_lasts = np.log(alpha + ages), np.log(alpha + lasts)
            value = dot(of_count, gammaln(r + counts) + gammaln(b + coins) - gammaln(a + b + coins))
            value += customers * (r * np.log(alpha) - gammaln(r) + gammaln(a + b) - gammaln(b))
            value -= r * dot(never, log_ages)
            of_r = dot(of_count, digamma(r + counts)) + customers * (np.log(alpha) - digamma(r)) - dot(never, log_ages)
            of_alpha = customers * r / alpha - r * dot(never, 1 / (alpha + ages))
            of_a = customers * both - dot(of_count, both_then)
            of_b = of_a + dot(of_count, digamma(b + coins)) - customers * digamma(b)
            coin = np.maximum(b + coins - 1, TINY)
            tables = Tables(r, np.log(a / coin), 1 / coin, log_ages, 1 / (alpha + ages), log_lasts, 1 / (alpha + lasts))
            own, own_r, own_alpha, gone, own_b = came.sums(tables)
            return float(value + own), np.array([of_r + own_r, of_alpha + own_alpha, of_a + gone / a, of_b + own_b])

        return likelihood

    def _log_odds_gone(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        away = (self.r + x) * np.log((self.alpha + T) / (self.alpha + t_x))
        most = int(x.max()) if len(x) else 0
        if most > len(x):
            return away + self._log_coin(x + self.first_coin)
        return (
            away + self._log_coin(np.arange(most + 1.0) + self.first_coin)[x.astype(np.intp)]
        )  # few counts, many rows

    def _log_coin(self, coins: Floats) -> Floats:
        """The logarithm of the odds that the last of so many coins fell so; never, where none was thrown."""
        with np.errstate(divide="ignore"):
            return np.where(coins > 0, np.log(self.a / np.maximum(self.b + coins - 1, TINY)), -np.inf)

    def _p_alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        alive = np.empty(len(x))

        def say(rows: slice) -> None:
            with np.errstate(over="ignore"):
                here = np.maximum(self._log_odds_gone(x[rows], t_x[rows], T[rows]), SURELY_HERE)
                np.exp(here, out=here)
                here += 1
                np.divide(1, here, out=alive[rows])

        on_every_core(say, len(x), at_once=ASKED_AT_ONCE)
        return alive

    def _p_active_of(self, alive: Floats, horizon: float | Floats, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """Of one horizon, or of one for each row."""
        silent = -np.expm1(-(self.r + x) * np.log1p(horizon / (self.alpha + T)))
        return alive * silent

    def _at_least(self, n: Floats, horizon: float | Floats, x: Floats, t_x: Floats, T: Floats) -> Floats:
        coins = x + self.first_coin
        stayed = np.exp(betaln(self.a, self.b + coins + n - 1) - betaln(self.a, self.b + coins))
        reached = betainc(n, self.r + x, horizon / (self.alpha + T + horizon))
        return np.asarray(self._p_alive(x, t_x, T) * stayed * reached, float)

    def _moments_of(self, alive: Floats, horizon: float, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
        mean, pairs, place = self._of_living(horizon, x, T, _given_coin)
        return alive * mean[place], alive * pairs[place]

    def _expected(self, horizon: float, x: Floats, t_x: Floats, T: Floats) -> Floats:
        # Who is here is quick to say of each; the rest is said of distinct counts and ages, which are few.
        return self._mean_of(self._p_alive(x, t_x, T), horizon, x, t_x, T)

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


@lru_cache(maxsize=1024)  # two models of each of some hundred stores, some 30 KB each
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
