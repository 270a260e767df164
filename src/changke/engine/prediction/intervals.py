"""Between what and what it will lie, four times in five: docs/algorithms/outlook.md."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from changke.engine.clv.statistics import Floats
from changke.engine.clv.sums import ALWAYS, HEAVY, NEVER, between_money, edges, if_she_comes, place_of
from changke.engine.refusals import NotFinite
from changke.engine.special import expit, logit, ndtr, ndtri

PROMISED = 0.8
MANY = 200.0
"""Expected days above which whole numbers lie so close that a smooth curve does."""
SURE = 1 - 1e-9
LEVELS = np.array([0.6, 0.65, 0.7, 0.75, PROMISED, 0.85, 0.9, 0.94, 0.97, 0.985])
"""No past moves the 80 % further than the first and the last."""
BELIEVED = 200
"""Customers of a third of whom half of what they say is believed."""


@dataclass(frozen=True)
class Widths:
    """What has to be asked of the models so that 80 % come to lie inside, learned from the past in three bands.

    Attributes
    ----------
    bounds
        Expected purchase days at which the middle and the upper third begin.
    asked
        The share to be asked in each third; all 0.8 where the models alone are right.
    """

    bounds: tuple[float, float] = (np.inf, np.inf)
    asked: tuple[float, float, float] = (PROMISED, PROMISED, PROMISED)

    def share(self, expected: Floats, promised: float) -> Floats:
        """For each customer; another promise than 80 % is moved as far on the logistic curve."""
        moved = logit(np.array(self.asked)) - logit(PROMISED)
        return np.asarray(expit(logit(promised) + moved[self.third(expected)]), float)

    def third(self, expected: Floats) -> np.ndarray:
        """0, 1 or 2 for each customer."""
        return np.searchsorted(np.array(self.bounds), expected, side="right")


@dataclass(frozen=True)
class MoneyAround:
    """How the money of customers lies around what is expected of it.

    Attributes
    ----------
    heavy
        From which variance on, in squares of the mean, a sum is log-normal instead of a gamma; 0 is always.
    widths
        What has to be asked so that 80 % of the sums lie inside.
    """

    heavy: float = HEAVY
    widths: Widths = field(default_factory=Widths)


def between_days(active: Floats, mean: Floats, variance: Floats, share: Floats) -> tuple[Floats, Floats, Floats]:
    """The lowest and the highest whole number of purchase days, and how likely it lies between them.

    Nobody comes with 1 - active; who does comes once and then negative binomially often, with the mean and variance
    given. Each edge is the whole number that leaves a share outside it nearest to the one wanted, not the first beyond
    it: over many customers the too much and the too little cancel, where rounding outwards always adds.
    """
    if not np.isfinite(mean.sum() + variance.sum() + active.sum() + share.sum()):
        raise NotFinite("no interval of what is no number")  # counting up to it would never end
    came = np.clip(active, 1e-12, 1.0)
    further = np.maximum(mean / came - 1, 1e-12)
    scatter = np.maximum((variance + mean**2) / came - (further + 1) ** 2, further * (1 + 1e-6))
    low, high, said = np.zeros(len(mean)), np.zeros(len(mean)), np.zeros(len(mean))
    smooth = further > MANY
    some = np.flatnonzero(smooth)
    if len(some):
        low[some], high[some], said[some] = _smooth(came[some], further[some], scatter[some], share[some])
    some = np.flatnonzero(~smooth)
    low[some], high[some], said[some] = _counted(came[some], further[some], scatter[some], share[some])
    return low, high, said


def _counted(came: Floats, further: Floats, scatter: Floats, share: Floats) -> tuple[Floats, Floats, Floats]:
    """Number by number from zero on; whoever has both edges drops out."""
    size = further**2 / (scatter - further)
    step = further / (size + further)
    tail = (1 - share) / 2
    below, upto = np.zeros(len(came)), 1 - came  # P(fewer than n), P(at most n)
    here = came * np.exp(size * np.log1p(-step))  # P(n + 1)
    low, high, outside = np.full(len(came), -1.0), np.zeros(len(came)), np.zeros(len(came))
    said = np.zeros(len(came))
    todo, n = np.arange(len(came)), 0
    while len(todo):
        less, most = below[todo], upto[todo]
        begins = (low[todo] < 0) & _nearer(less, most, tail[todo])
        low[todo[begins]], outside[todo[begins]] = n, less[begins]
        goal = np.minimum(outside[todo] + share[todo], SURE)
        done = (low[todo] >= 0) & (low[todo] < n) & _nearer(less, most, goal)
        high[todo[done]], said[todo[done]] = n - 1, less[done] - outside[todo[done]]
        todo = todo[~done]
        n += 1
        below[todo] = upto[todo]
        upto[todo] += here[todo]
        here[todo] *= (n - 1 + size[todo]) / n * step[todo]
    return low, high, said


def _nearer(less: Floats, most: Floats, goal: Floats) -> np.ndarray:
    """Whether what was reached lies nearer than the next; what has not begun to rise is no nearer."""
    return (less >= goal) | (np.abs(less - goal) < np.abs(most - goal))


def _smooth(came: Floats, further: Floats, scatter: Floats, share: Floats) -> tuple[Floats, Floats, Floats]:
    first, last, said = edges(came, further, scatter, share)
    return np.rint(first), np.rint(last), said


def learned(expected: Floats, active: Floats, variance: Floats, came: Floats) -> Widths:
    """From a past window at the level that came: what had to be asked for 80 % to lie inside.

    Where even the narrowest whole numbers hold more, as for those who hardly ever come, less is asked and they stay.
    """

    def held(share: Floats) -> Held:
        low, high, _ = between_days(active, expected, variance, share)
        return (came >= low) & (came <= high)

    return _widths(expected, held)


def learned_of_money(expected: Floats, active: Floats, mean: Floats, second: Floats, brought: Floats) -> MoneyAround:
    """The same of the sums that came: their law, and what had to be asked of it. `expected` are the days, for bands."""
    heavy = ALWAYS if _heavy(active, mean, second, brought) else HEAVY

    def held(share: Floats) -> Held:
        low, high = between_money(active, mean, second, share, heavy)
        return (brought >= low * (1 - 1e-9)) & (brought <= high * (1 + 1e-9))

    return MoneyAround(heavy, _widths(expected, held))


Held = npt.NDArray[np.bool_]


def _heavy(active: Floats, mean: Floats, second: Floats, brought: Floats) -> bool:
    """Whether the places of what came are spread less than half as unevenly by the law with the long tail."""
    given, scatter = if_she_comes(np.clip(active, 0.0, 1.0), mean, second)
    paid = (brought > 0) & (given > 0)
    if not paid.any():
        return False
    chance = 1 / (6 * paid.sum())
    long, plain = (
        _unevenness(place_of(brought[paid], given[paid], scatter[paid], heavy)) + chance for heavy in (ALWAYS, NEVER)
    )
    return bool(long < plain / 2)


def _unevenness(places: Floats) -> float:
    """The mean squared distance of places, in order, from where they would stand evenly; Cramér and von Mises."""
    count = len(places)
    return float(np.mean((np.sort(places) - (2 * np.arange(count) + 1) / (2 * count)) ** 2))


def _widths(expected: Floats, held: Callable[[Floats], Held]) -> Widths:
    low, high = np.quantile(expected, [1 / 3, 2 / 3])
    plain = Widths((float(low), float(high)))
    inside = np.array([held(np.full(len(expected), level)) for level in LEVELS])
    third = plain.third(expected)
    asked = [_asked(inside[:, third == band]) for band in range(3)]
    return Widths(plain.bounds, (asked[0], asked[1], asked[2]))


def _asked(inside: Held) -> float:
    """What to ask, believed as far as it was seen; a row of `inside` for each level, a column for each customer."""
    customers = inside.shape[1]
    if not customers:
        return PROMISED
    rising = np.maximum.accumulate(inside.mean(axis=1)) + 1e-9 * np.arange(len(LEVELS))
    usual, found = (ndtri((1 + level) / 2) for level in (PROMISED, float(np.interp(PROMISED, rising, LEVELS))))
    believed = customers / (customers + BELIEVED)
    return float(2 * ndtr(usual + believed * (found - usual)) - 1)
