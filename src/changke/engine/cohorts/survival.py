"""How long until something happens, where it has not happened to everybody yet."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from changke.engine.experiments.distributions import normal_quantile
from changke.engine.refusals import Refusal, between
from changke.engine.refusals import share as checked_share

Floats = npt.NDArray[np.float64]


class BadDurations(Refusal):
    """Durations are finite and not negative, counts not negative, one of each per entry."""

    code = "bad_durations"


@dataclass(frozen=True)
class Survival:
    """The share to whom it has not happened, by Kaplan and Meier.

    Attributes
    ----------
    time : shape (times,)
        Times at which something happened or somebody was lost from sight, ascending.
    at_risk, events, censored : shape (times,)
        Counts; whoever is lost on a day is at risk on it.
    survival, standard_error, low, high : shape (times,)
        Right after that time. The error is Greenwood's; the bounds are his on the scale of log(-log S).
    """

    time: Floats
    at_risk: npt.NDArray[np.int64]
    events: npt.NDArray[np.int64]
    censored: npt.NDArray[np.int64]
    survival: Floats
    standard_error: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, durations: npt.ArrayLike, happened: npt.ArrayLike, *, alpha: float = 0.05) -> "Survival":
        """From one duration per customer, and whether it ended with the event or with the end of sight.

        Raises
        ------
        BadDurations
        """
        time, indices = np.unique(np.asarray(durations, dtype=float), return_inverse=True)
        flags = np.asarray(happened).astype(bool)
        if flags.shape != indices.shape:
            raise BadDurations(f"{indices.size} durations, {flags.size} outcomes")
        events = np.bincount(indices[flags], minlength=len(time))
        return cls.of_counts(time, events, np.bincount(indices, minlength=len(time)) - events, alpha=alpha)

    @classmethod
    def of_counts(
        cls, time: npt.ArrayLike, events: npt.ArrayLike, censored: npt.ArrayLike, *, alpha: float = 0.05
    ) -> "Survival":
        """From counts per time, ascending.

        Raises
        ------
        BadDurations
        """
        checked_share("alpha", alpha)
        at, happened, lost = np.asarray(time, float), np.asarray(events, np.int64), np.asarray(censored, np.int64)
        if not (at.shape == happened.shape == lost.shape and at.ndim == 1):
            raise BadDurations(f"times, events and censored of shapes {at.shape}, {happened.shape}, {lost.shape}")
        if not np.isfinite(at).all() or (at < 0).any() or (np.diff(at) <= 0).any():
            raise BadDurations("times are finite, not negative and ascend")
        if (happened < 0).any() or (lost < 0).any():
            raise BadDurations("a negative count")
        leaving = happened + lost
        at_risk = leaving[::-1].cumsum()[::-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            survival = np.cumprod(1 - happened / at_risk)
            greenwood = np.sqrt(np.cumsum(happened / (at_risk * (at_risk - happened))))
            error = np.where(survival > 0, survival * greenwood, 0.0)
            reach = normal_quantile(1 - alpha / 2) * greenwood / np.log(survival)
            low, high = survival ** np.exp(-reach), survival ** np.exp(reach)
        certain = (survival == 0) | (survival == 1)
        low, high = np.where(certain, survival, low), np.where(certain, survival, high)
        return cls(at, at_risk, happened, lost, survival, error, low, high)

    def at(self, time: float) -> tuple[float, float, float]:
        """Low, share, high of those to whom it has not happened by `time`. Past the last time: as at the last."""
        between("time", time, least=0)
        place = int(np.searchsorted(self.time, time, side="right")) - 1
        if place < 0:
            return 1.0, 1.0, 1.0
        return float(self.low[place]), float(self.survival[place]), float(self.high[place])

    def quantile(self, share: float) -> float | None:
        """The first time at which it has happened to at least `share`; None if it never came so far."""
        between("share", share, least=0, most=1)
        reached = np.flatnonzero(self.survival <= 1 - share + 1e-12)
        return float(self.time[reached[0]]) if len(reached) else None

    @property
    def median(self) -> float | None:
        return self.quantile(0.5)
