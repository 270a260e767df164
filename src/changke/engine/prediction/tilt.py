"""Who spends more on a day comes more often than the models know: docs/algorithms/outlook.md."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from changke.engine.clv.statistics import Floats
from changke.engine.special import expit, logit

FAR = 2.5
"""Deviations beyond which a purse is no fuller."""
MOST = 0.5
STEPS = 30

Said = Callable[[Floats], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Tilt:
    """How much more often they come, by the money of one of their days.

    Attributes
    ----------
    centre, scale
        Median and deviation of the logarithm of that money.
    days, chance
        What one deviation more adds to the logarithm of the expected days, and to the log-odds of coming at all.
    days_level, chance_level
        What keeps the total of both as the models said it.
    """

    centre: float = 0.0
    scale: float = 1.0
    days: float = 0.0
    chance: float = 0.0
    days_level: float = 0.0
    chance_level: float = 0.0

    def factor(self, each: Floats) -> Floats:
        """How many times as many days."""
        return np.asarray(np.exp(self.days_level + self.days * self._purse(each)), float)

    def active(self, active: Floats, each: Floats) -> Floats:
        """The chance of coming at all; who certainly comes or stays away does."""
        if not self.chance:
            return active
        with np.errstate(divide="ignore"):
            return np.asarray(expit(logit(active) + self.chance_level + self.chance * self._purse(each)), float)

    def kept_level(self, each: Floats, expected: Floats, active: Floats) -> "Tilt":
        """The same, with the totals of these customers kept."""
        total = float((expected * np.exp(self.days * self._purse(each))).sum())
        days_level = float(np.log(expected.sum() / total)) if total > 0 else 0.0
        low, high = -5.0, 5.0
        for _ in range(50):
            middle = (low + high) / 2
            more = replace(self, chance_level=middle).active(active, each).mean() < active.mean()
            low, high = (middle, high) if more else (low, middle)
        return replace(self, days_level=days_level, chance_level=low if self.chance else 0.0)

    def _purse(self, each: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.clip((np.log(each) - self.centre) / self.scale, -FAR, FAR)


def learned(each: Floats, expected: Floats, active: Floats, came: Floats) -> Tilt:
    """From a past window at the level that came, half of what it says: one window is one window."""
    paying = each > 0
    if paying.sum() < 2 or not came.any() or not expected.any():
        return Tilt()
    logs = np.log(each[paying])
    plain = Tilt(float(np.median(logs)), float(np.std(logs)))
    if plain.scale < 1e-6:
        return Tilt()
    purse = plain._purse(each)
    offset = np.log(np.maximum(expected, 1e-9))
    odds = logit(np.clip(active, 1e-6, 1 - 1e-6))
    days = _slope(purse, came, lambda shift: (np.exp(offset + shift),) * 2)
    chance = _slope(purse, (came > 0).astype(float), lambda shift: _binary(expit(odds + shift)))
    return replace(plain, days=days / 2, chance=chance / 2)


def _binary(chance: Floats) -> tuple[Floats, Floats]:
    return chance, chance * (1 - chance)


def _slope(purse: Floats, true: Floats, said: Said) -> float:
    """By Newton's steps: the level is free, the slope within what a shop can have."""
    at = np.array([0.0, 0.0])
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            mean, weight = said(at[0] + at[1] * purse)
            left = true - mean
            slope = np.array([left.sum(), left @ purse])
            mixed = weight @ purse
            curve = np.array([[weight.sum(), mixed], [mixed, weight @ purse**2]]) + 1e-9 * np.eye(2)
            at = at + np.clip(np.linalg.solve(curve, slope), -2.0, 2.0)
            if not np.isfinite(at).all():
                return 0.0
    return float(np.clip(at[1], -MOST, MOST))
