"""Between what and what it will lie, four times in five: docs/algorithms/outlook.md."""

from dataclasses import dataclass

import numpy as np

from changke.engine.clv.statistics import Floats
from changke.engine.clv.sums import edges
from changke.engine.refusals import NotFinite
from changke.engine.special import expit, logit

PROMISED = 0.8
MANY = 200.0
"""Expected days above which whole numbers lie so close that a smooth curve does."""
SURE = 1 - 1e-9
LEAST, MOST = 0.6, 0.94
"""No past moves the 80 % further than that."""


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
    shape, scale = further**2 / scatter, scatter / further
    first, last, said = edges(came, shape, scale, share)
    return np.rint(first), np.rint(last), said


def learned(expected: Floats, active: Floats, variance: Floats, came: Floats) -> Widths:
    """From a past window at the level that came, half of the way: what had to be asked for 80 % to lie inside.

    Where even the narrowest whole numbers hold more, as for those who hardly ever come, less is asked and they stay.
    """
    low, high = np.quantile(expected, [1 / 3, 2 / 3])
    plain = Widths((float(low), float(high)))
    third = plain.third(expected)
    asked = []
    for band in range(3):
        mine = third == band
        asked.append((PROMISED + _asked(active[mine], expected[mine], variance[mine], came[mine])) / 2)
    return Widths(plain.bounds, (asked[0], asked[1], asked[2]))


LEVELS = np.array([LEAST, 0.65, 0.7, 0.75, PROMISED, 0.85, 0.9, MOST])


def _asked(active: Floats, mean: Floats, variance: Floats, came: Floats) -> float:
    if not len(came):
        return PROMISED
    held = []
    for level in LEVELS:
        low, high, _ = between_days(active, mean, variance, np.full(len(came), level))
        held.append(float(((came >= low) & (came <= high)).mean()))
    rising = np.maximum.accumulate(held) + 1e-9 * np.arange(len(held))
    return float(np.interp(PROMISED, rising, LEVELS))
