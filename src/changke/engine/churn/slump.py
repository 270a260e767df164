"""Who slows down: less than half of her own pace. A warning that does not wait until she is gone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from changke.engine.churn.silences import Silences
from changke.engine.clv.bg_nbd import BGNBD
from changke.engine.clv.statistics import Floats
from changke.engine.days import Day, as_date
from changke.engine.prediction.days import EPOCH, Days
from changke.engine.refusals import above_zero, between, whole

WITHIN_DAYS = 120
BY_DAY = 60
FIXED = (30, 45, 60)
CHANCES = (0.4, 0.5)


@dataclass(frozen=True)
class JudgedSlump:
    """A rule and how it did against slumps.

    Attributes
    ----------
    threshold
        Of the chance of a slump; 0 where there is none.
    precision
        Alerts of those who then slumped, of all alerts.
    recall
        Slumps of which there was an alert, of all slumps.
    day
        Median silent day of the right alerts.
    """

    rule: str
    threshold: float
    precision: float
    recall: float
    day: float
    alerts_per_100: float
    silences: int


def slump_chance(
    model: BGNBD, x: Floats, t_x: Floats, silent: Floats, *, within_days: int = WITHIN_DAYS, share: float = 0.5
) -> Floats:
    """The chance that she comes less often than `share` of her own pace.

    Parameters
    ----------
    x, t_x
        Repeat purchase days, and days from the first to the last, as in `clv.summary`.
    silent
        Days since the last one, without another.
    within_days
        The days after the last purchase in which she would have to come.
    share
        Of the purchase days that her own pace, shrunk to the shop's, lets expect there: (r + x) / (alpha + t_x) each.

    Returns
    -------
    array
        0..1 for each. 0 for whose pace lets expect less than one purchase day: of her nothing could be said.

    Raises
    ------
    NotASetting
        No days, or a share of nothing.
    """
    whole("within_days", within_days, least=1)
    above_zero("share", share)
    x, t_x, silent = (np.asarray(one, float) for one in (x, t_x, silent))
    due = _due(model, x, t_x, within_days)
    least = np.maximum(np.ceil(share * due), 1.0)  # so many come, or it is a slump
    left = np.maximum(within_days - silent, 0.0)
    keeps = np.zeros(len(x))
    asked = left > 0
    if asked.any():
        keeps[asked] = model._at_least(least[asked], left[asked], x[asked], t_x[asked], (t_x + silent)[asked])
    return np.where(due >= 1, 1 - np.clip(keeps, 0.0, 1.0), 0.0)


def judge_slumps(
    transactions: object,
    *,
    observation_end: Day | None = None,
    cut: Day,
    within_days: int = WITHIN_DAYS,
    share: float = 0.5,
    by_day: int = BY_DAY,
    fixed: Sequence[int] = FIXED,
    chances: Sequence[float] = CHANCES,
    least_purchases: int = 3,
    customer_id: str = "customer_id",
    date: str = "date",
) -> tuple[JudgedSlump, ...]:
    """Fixed silent days, the own gap and the chance of a slump side by side, on silences that begin after the cut.

    A slump is a silence after which she has, `within_days` after her purchase, fewer purchase days than `share` of what
    her own pace lets expect. An alert counts if it comes by the silent day `by_day`. `slump from 45` warns on the first
    day from the 45th on on which the chance of a slump, as the model fitted before the cut gives it, is at least one of
    `chances`. Nothing is learned from outcomes. Empty without silences to judge.

    Raises
    ------
    NotASetting
        Days that are none, or a day by which nothing can have been seen.
    UnreadableFrame
    """
    whole("within_days", within_days, least=2)
    between("by_day", whole("by_day", by_day, least=1), least=1, most=within_days - 1)
    above_zero("share", share)
    whole("least_purchases", least_purchases, least=1)
    fixed = [whole("fixed", one, least=1) for one in fixed]
    for chance in chances:
        between("chances", chance, least=0, most=1)
    last = "9999-12-31" if observation_end is None else observation_end
    days = Days.of(transactions, observation_end=last, customer_id=customer_id, date=date)
    end = int(days.day.max()) if observation_end is None and len(days.day) else days.end
    at = int((np.datetime64(as_date(cut), "D") - EPOCH).astype(int))
    model = BGNBD().fit(days.until(at).summary())
    every, came = Silences.of(days), _came(days, within_days)
    began = every.began + days.first_day
    usable = (every.x >= least_purchases - 1) & (began <= end - within_days)
    some = usable & (began > at)
    after = _Seen.of(model, every.where(some), came[some], within_days, share, by_day)
    if not len(after.seen):
        return ()
    rules = []
    for from_day in fixed:
        rules.append(after.judged(f"fixed {from_day}", 0.0, np.full(len(after.seen), float(from_day))))
        rules += [
            after.judged(f"slump from {from_day}", chance, after.day(chance, from_day))
            for chance in chances
            if from_day <= by_day
        ]
    own = after.seen.t_x / np.maximum(after.seen.x, 1)
    for name, day in (("2 x own gap", 2 * own), ("own longest gap", after.seen.longest)):
        rules.append(after.judged(name, 0.0, np.maximum(day, 1.0)))
    return tuple(rules)


@dataclass(frozen=True)
class _Seen:
    """Silences, which of them were slumps, and what would have fired when."""

    model: BGNBD
    seen: Silences
    slump: npt.NDArray[np.bool_]
    within: int
    share: float
    by_day: int

    @classmethod
    def of(cls, model: BGNBD, seen: Silences, came: Floats, within: int, share: float, by_day: int) -> "_Seen":
        due = _due(model, seen.x, seen.t_x, within)
        return cls(model, seen, (due >= 1) & (came < share * due), within, share, by_day)

    def day(self, level: float, from_day: int) -> Floats:
        """The first silent day from `from_day` on with such a chance of a slump. It grows, so: halving."""

        def fires(day: Floats) -> npt.NDArray[np.bool_]:
            return slump_chance(
                self.model, self.seen.x, self.seen.t_x, day, within_days=self.within, share=self.share
            ) >= level  # fmt: skip

        low, high = np.full(len(self.seen), float(from_day)), np.full(len(self.seen), float(self.by_day))
        at_once, never = fires(low), ~fires(high)
        for _ in range(7):
            middle = np.floor((low + high) / 2)
            fired = fires(middle)
            low, high = np.where(fired, low, middle), np.where(fired, middle, high)
        return np.where(at_once, from_day, np.where(never, np.inf, high))

    def judged(self, rule: str, threshold: float, day: Floats) -> JudgedSlump:
        fired = self._fired(day)
        right = fired & self.slump
        return JudgedSlump(
            rule, threshold,
            precision=float(right.sum() / fired.sum()) if fired.any() else float("nan"),
            recall=float(right.sum() / self.slump.sum()) if self.slump.any() else float("nan"),
            day=float(np.median(day[right])) if right.any() else float("nan"),
            alerts_per_100=100.0 * float(fired.mean()) if len(fired) else 0.0, silences=len(fired),
        )  # fmt: skip

    def _fired(self, day: Floats) -> npt.NDArray[np.bool_]:
        return np.asarray((self.seen.length > day) & (day <= self.by_day), bool)


def _due(model: BGNBD, x: Floats, t_x: Floats, within: int) -> Floats:
    """Purchase days that her own pace lets expect, with the shop's where she has little past."""
    return within * (model.r + x) / (model.alpha + t_x)


def _came(days: Days, within: int) -> Floats:
    """Purchase days of the same customer in the days after each of her days."""
    wide = int(days.day.max()) + within + 1 if len(days.day) else 1
    at = days.who.astype(np.int64) * wide + days.day
    upto = days.who.astype(np.int64) * wide + np.minimum(days.day + within, wide - 1)
    return np.asarray(np.searchsorted(at, upto, "right") - np.arange(len(at)) - 1, float)
