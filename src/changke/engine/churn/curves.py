"""The outlook of each silence on every day that it may last: computed once, asked for every threshold."""

import numpy as np
import numpy.typing as npt

from changke.engine.churn.judge import LEAST_ALERTS
from changke.engine.churn.score import Chances
from changke.engine.churn.silences import Silences
from changke.engine.clv.statistics import Floats, distinct

SOON = (0, 1, 2, 3, 5, 7, 10)
APART = 3
"""From the tenth day on it is asked every so many days; between them it runs straight, to a tenth of a percent."""

Places = npt.NDArray[np.intp]


class Curves:
    """Silences with the same past are one row, with a column for each silent day from the first to the last.

    Attributes
    ----------
    place
        The row of each silence.
    """

    def __init__(self, model: Chances, seen: Silences, *, horizon: int, last: int) -> None:
        (x, t_x, _), self.place = distinct(seen.x, seen.t_x, seen.t_x)
        self._counts = np.bincount(self.place, minlength=len(x)).astype(float)
        days = np.array([day for day in (*SOON, *range(SOON[-1] + APART, last + APART, APART)) if day <= last + APART])
        self._outlook = _every_day([model.p_active(horizon, x, t_x, t_x + day) for day in days], days, last)
        self._lasts = 1 - _every_day([model.p_active(float(day), x, t_x, t_x) for day in days], days, last)
        # From the day on which it is highest it falls: what it will reach at most from each day on.
        self._peak = last - np.argmax(self._outlook[:, ::-1], axis=1)
        self._ahead = np.maximum.accumulate(self._outlook[:, ::-1], axis=1)[:, ::-1]
        self._last = last

    def days(self, kind: str, level: float, *, least: int) -> Floats:
        """The silent day on which the score of that kind has fallen below the level, at the earliest `least`; infinite
        if not until the last."""
        below = level * (self._outlook[:, :1] if kind == "fall" else 1.0)
        first = least + (self._ahead[:, least:] >= below).sum(axis=1)
        day = np.maximum(first, self._peak).astype(float)
        return np.where((first > self._last) | (self._peak >= self._last), np.inf, day)

    def foreseen(self, days: Floats) -> float:
        """The precision that the model expects of alerts on these silent days, one for each row; no outcome is looked
        at. Each silence counts as often as it is expected to last until its alert. NaN below 20 expected alerts."""
        fired = np.flatnonzero(np.isfinite(days))
        day = days[fired].astype(np.intp)
        reached = self._counts[fired] * self._lasts[fired, day]
        alerts = float(reached.sum())
        return float(reached @ (1 - self._outlook[fired, day])) / alerts if alerts >= LEAST_ALERTS else float("nan")

    def on(self, day: int) -> Floats:
        """That day for every row."""
        return np.full(len(self._counts), float(day))


def _every_day(asked: list[Floats], days: Places, last: int) -> Floats:
    """Columns of the days that were asked become a column for every day."""
    known = np.column_stack(asked)
    wanted = np.arange(last + 1)
    after = np.clip(np.searchsorted(days, wanted, side="left"), 1, len(days) - 1)
    share = (wanted - days[after - 1]) / (days[after] - days[after - 1])
    return np.asarray(known[:, after - 1] * (1 - share) + known[:, after] * share, float)
