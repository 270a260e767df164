"""Rules side by side on the shop's own past."""

from dataclasses import dataclass

import numpy as np

from changke.engine.churn.judge import Judged, judged, known_precision
from changke.engine.churn.score import day_of_outlook
from changke.engine.churn.signal import Signal, signal
from changke.engine.churn.silences import Silences
from changke.engine.clv.bg_nbd import BGNBD
from changke.engine.clv.statistics import Floats
from changke.engine.days import Day, as_date
from changke.engine.prediction.days import EPOCH, Days
from changke.engine.table import Table

FIXED = (60, 90, 120, 180)
GAPS = (2, 3)
LEVELS = np.round(np.arange(0.2, 0.96, 0.025), 3)
LAPSE_DAYS = 180
MINIMUM_SILENCE = 14


@dataclass(frozen=True)
class Backtest:
    """What each rule would have done after the cut, thresholds chosen from before it.

    Attributes
    ----------
    rules
        Side by side. `outlook = 90` is the outlook at the precision that fixed 90 days had before the cut.
    signal
        Whether silence means anything here; its truth value is the answer, `.auc` the measure, `str()` the sentence.
    notes
        What was done otherwise than asked, and why.
    """

    rules: tuple[Judged, ...]
    signal: Signal
    notes: tuple[str, ...]

    def table(self) -> Table:
        """One row per rule."""
        rows = [rule.row() for rule in self.rules]
        names = list(Judged.__dataclass_fields__)
        return Table({name: np.array([row[name] for row in rows]) for name in names})


def backtest(
    transactions: object,
    *,
    horizon_days: int = 90,
    observation_end: Day | None = None,
    cut: Day | None = None,
    minimum_silence: int = MINIMUM_SILENCE,
    alerts_per_100: float | None = None,
    least_purchases: int = 3,
    customer_id: str = "customer_id",
    date: str = "date",
) -> Backtest:
    """Judge fixed days, multiples of the own gap, the outlook and its fall on the silences after the cut.

    Parameters
    ----------
    transactions
        As for `clv.summary`.
    horizon_days
        A true alert is followed by so many further days without a purchase; also the horizon of the outlook.
    observation_end, cut
        The last day that is known (default: the last day of the data); the day up to which rules may learn (default: so
        that a third of the rest of the past remains for judging).
    minimum_silence
        Days before which no outlook alarms.
    alerts_per_100
        Further rows: outlook and fall with the threshold at which staff get so many alerts per hundred silences.
    least_purchases
        Silences of customers with fewer purchase days so far are not judged.
    """
    last = "9999-12-31" if observation_end is None else observation_end
    days = Days.of(transactions, observation_end=last, customer_id=customer_id, date=date)
    if observation_end is None and len(days.day):
        days = Days(days.customers, days.who, days.day, days.paid, int(days.day.max()), days.has_money, days.left_out)
    span = days.end - days.first_day
    notes: list[str] = []
    lapse = min(LAPSE_DAYS, span // 3)
    if lapse < LAPSE_DAYS:
        notes.append(f"only {span} days are known: a lapse is {lapse} silent days here, not {LAPSE_DAYS}")
    horizon = min(horizon_days, max(span // 4, 1))
    if horizon < horizon_days:
        notes.append(f"the horizon is {horizon} days, not {horizon_days}")
    asked = None if cut is None else int((np.datetime64(as_date(cut), "D") - EPOCH).astype(int)) - days.first_day
    at = max((span - lapse - horizon) * 2 // 3, 1) if asked is None else asked
    found = signal(days, horizon=horizon)
    every = Silences.of(days)
    usable = every.where(every.x >= least_purchases - 1)
    known = _as_seen(usable.where(usable.began <= at), at)
    after = usable.where((usable.began > at) & (usable.began <= span - lapse - horizon))
    if not len(after) or not len(known):
        return Backtest((), found, (*notes, "too few silences before or after the cut to judge a rule"))
    window = days.until(days.first_day + at)
    model = BGNBD().fit(window.summary())
    rules = _fixed(after, horizon, lapse)
    personal = _Personal(model, horizon, lapse, minimum_silence, known, after, float(at))
    for fixed in FIXED[:3]:
        wanted = known_precision(np.full(len(known), float(fixed)), known, until=at, horizon=horizon, lapse=lapse)[0]
        rules += personal.rules(f"= {fixed}", precision=wanted)
    if alerts_per_100 is not None:
        rules += personal.rules(f"{alerts_per_100:g} per 100", alerts=alerts_per_100)
    if not found:
        notes.append(str(found))
    return Backtest(tuple(rules), found, tuple(notes))


class _Personal:
    """The outlook and its fall, with the threshold that the past before the cut gives."""

    def __init__(
        self, model: BGNBD, horizon: int, lapse: int, least: int, known: Silences, after: Silences, cut: float
    ) -> None:
        self.horizon, self.lapse, self.after = horizon, lapse, after
        self.fires, self.before = {}, {}
        for kind in ("outlook", "fall"):
            for level in LEVELS.tolist():
                on = {
                    name: self._day(model, kind, level, seen, least)
                    for name, seen in (("known", known), ("after", after))
                }
                self.fires[kind, level] = on["after"]
                self.before[kind, level] = known_precision(on["known"], known, until=cut, horizon=horizon, lapse=lapse)

    def _day(self, model: BGNBD, kind: str, level: float, seen: Silences, least: int) -> Floats:
        then = model.p_active(self.horizon, seen.x, seen.t_x, seen.t_x) if kind == "fall" else 1.0
        below = np.broadcast_to(level * np.asarray(then), seen.x.shape)
        bounds = {"least": float(least), "most": float(max(self.lapse, least + 1))}
        return day_of_outlook(model, seen.x, seen.t_x, horizon_days=self.horizon, below=below, **bounds)

    def rules(self, name: str, *, precision: float | None = None, alerts: float | None = None) -> list[Judged]:
        """For each kind the earliest threshold that keeps the precision, or the number of alerts."""
        chosen = []
        for kind in ("outlook", "fall"):
            fit = [
                level
                for level in LEVELS.tolist()
                for before, number in [self.before[kind, level]]
                if (precision is not None and before >= precision) or (alerts is not None and number <= alerts)
            ]
            if fit:
                level = max(fit)
                fires = self.fires[kind, level]
                rule = f"{kind} {name}"
                chosen.append(judged(rule, level, fires, self.after, horizon=self.horizon, lapse=self.lapse))
        return chosen


def _fixed(after: Silences, horizon: int, lapse: int) -> list[Judged]:
    rules = []
    for silent in FIXED:
        if silent <= lapse:
            fires = np.full(len(after), float(silent))
            rules.append(judged(f"fixed {silent}", silent, fires, after, horizon=horizon, lapse=lapse))
    for times in GAPS:
        fires = np.maximum(times * after.t_x / np.maximum(after.x, 1), 1.0)
        rules.append(judged(f"{times} x own gap", times, fires, after, horizon=horizon, lapse=lapse))
    return rules


def _as_seen(seen: Silences, cut: float) -> Silences:
    """What was known of silences on the day of the cut: who came later had not come yet."""
    length = np.where(seen.began + seen.length <= cut, seen.length, np.inf)
    return Silences(seen.began, seen.x, seen.t_x, seen.longest, length)
