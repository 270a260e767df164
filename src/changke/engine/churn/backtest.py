"""Rules side by side on the shop's own past."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from changke.engine.churn.curves import Curves
from changke.engine.churn.judge import EARLY_DAYS, Judged, judged, known_precision, weekly_alerts
from changke.engine.churn.signal import Signal, signal
from changke.engine.churn.silences import Silences
from changke.engine.clv.bg_nbd import BGNBD
from changke.engine.clv.statistics import Floats
from changke.engine.days import Day, as_date
from changke.engine.prediction import rhythm
from changke.engine.prediction.days import EPOCH, Days
from changke.engine.prediction.models import Blend
from changke.engine.refusals import NotASetting, above_zero, between, whole
from changke.engine.table import Table

FIXED = (60, 90, 120, 180)
GAPS = (2, 3)
LEVELS = np.round(np.arange(0.05, 0.955, 0.01), 3)
LAPSE_DAYS = 180
MINIMUM_SILENCE = 14
WEEKS_BACK = 52
"""How far before the cut alerts a week are counted: a year, so that no season is left out."""
MODELS = ("default", BGNBD.name)
MOST_SILENCES = 80_000
"""Of more, every so many are judged: what is said of them is told to half a percent."""

Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Nobody looks."""


@dataclass(frozen=True)
class Backtest:
    """What each rule would have done after the cut, thresholds chosen from before it.

    Attributes
    ----------
    rules
        Side by side. `outlook = 90` is the outlook at the precision that fixed 90 days were to have, judged from before
        the cut; `outlook or 90` and `fall or 90` warn by the score, at the latest after 90 days.
    signal
        Whether silence means anything here; its truth value is the answer, `.auc` the measure, `str()` the sentence.
    notes
        What was done otherwise than asked, and why.
    horizon_days, lapse_days
        As they were used.
    first_day, cut, end
        Days since 1970: the first and the last that is known, and the one up to which rules could learn.
    customers, silences
        How many are known, and how many silences were judged.
    """

    rules: tuple[Judged, ...]
    signal: Signal
    notes: tuple[str, ...]
    horizon_days: int = 0
    lapse_days: int = 0
    first_day: int = 0
    cut: int = 0
    end: int = 0
    customers: int = 0
    silences: int = 0

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
    alerts_per_week: float | None = None,
    precision: float | None = None,
    least_purchases: int = 3,
    fixed: Sequence[int] = FIXED,
    lapse_days: int = LAPSE_DAYS,
    early_days: int = EARLY_DAYS,
    models: str = MODELS[0],
    progress: Progress = silent,
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
    alerts_per_week
        Further rows: the loosest threshold with at most so many alerts a week in the year before the cut.
    precision
        Further rows: the loosest threshold that had at least this precision before the cut.
    least_purchases
        Silences of customers with fewer purchase days so far are not judged.
    fixed
        Silent days to compare with. The first three are those whose precision a threshold is looked for.
    lapse_days
        Silent days after which somebody counts as lost.
    early_days
        How long before that an alert must come to count as found.
    models
        Whose outlook it is: "default", the models of `changke.engine.outlook` with the rhythm they find before the cut,
        or "BG/NBD" alone.
    progress
        Called with thresholds done and thresholds in all.

    Raises
    ------
    NotASetting
        A number of days that is negative, no whole number or without end; of the horizon, of a lapse and of fixed days
        zero too: after no days at all every alert is right. No share, or no number of alerts above zero. Models that
        there are not.
    UnreadableFrame
    """
    whole("horizon_days", horizon_days, least=1)
    whole("lapse_days", lapse_days, least=1)
    whole("minimum_silence", minimum_silence)
    whole("early_days", early_days)
    whole("least_purchases", least_purchases, least=1)
    fixed = [whole("fixed", silent_days, least=1) for silent_days in fixed]
    for name, number in (("alerts_per_100", alerts_per_100), ("alerts_per_week", alerts_per_week)):
        if number is not None:
            above_zero(name, number)
    if precision is not None:
        between("precision", precision, least=0, most=1)
    if models not in MODELS:
        raise NotASetting(f"models are one of {', '.join(MODELS)}, not {models!r}")
    last = "9999-12-31" if observation_end is None else observation_end
    days = Days.of(transactions, observation_end=last, customer_id=customer_id, date=date)
    if observation_end is None and len(days.day):
        days = Days(days.customers, days.who, days.day, days.paid, int(days.day.max()), days.has_money, days.left_out)
    span = days.end - days.first_day
    notes: list[str] = []
    lapse = min(lapse_days, span // 3)
    if lapse < lapse_days:
        notes.append(f"only {span} days are known: a lapse is {lapse} silent days here, not {lapse_days}")
    horizon = min(horizon_days, max(span // 4, 1))
    if horizon < horizon_days:
        notes.append(f"the horizon is {horizon} days, not {horizon_days}")
    asked = None if cut is None else int((np.datetime64(as_date(cut), "D") - EPOCH).astype(int)) - days.first_day
    at = max((span - lapse - horizon) * 2 // 3, 1) if asked is None else asked
    found = signal(days, horizon=horizon)
    every = Silences.of(days)
    step = -(-len(every) // MOST_SILENCES) or 1
    if step > 1:
        notes.append(f"one silence in {step} was judged")
    every = every.where(np.arange(len(every)) % step == 0)
    usable = every.where(every.x >= least_purchases - 1)
    known = _as_seen(usable.where(usable.began <= at), at)
    after = usable.where((usable.began > at) & (usable.began <= span - lapse - horizon))
    told = {
        "horizon_days": horizon, "lapse_days": lapse, "first_day": days.first_day, "cut": days.first_day + at,
        "end": days.end, "customers": len(days.customers), "silences": len(after),
    }  # fmt: skip
    if not len(after) or not len(known):
        return Backtest((), found, (*notes, "too few silences before or after the cut to judge a rule"), **told)
    weeks = (span - lapse - horizon - at) / 7 / step
    model = _learned(days.known_at(days.first_day + at), horizon, models)
    rules = _fixed(after, fixed, horizon, lapse, weeks, early_days)
    personal = _Personal(
        model, horizon, lapse, minimum_silence, known, after, float(at), weeks, progress, early_days, step
    )  # fmt: skip
    for silent_days in fixed[:3]:
        rules += personal.like_fixed(silent_days)
    if alerts_per_100 is not None:
        rules += personal.rules(f"{alerts_per_100:g} per 100", "alerts", per_100=alerts_per_100)
    if alerts_per_week is not None:
        rules += personal.rules(f"{alerts_per_week:g} a week", "alerts", weekly=alerts_per_week)
    if precision is not None:
        rules += personal.rules(f"right in {precision:.0%}", "precision", precision=precision)
    if not found:
        notes.append(str(found))
    return Backtest(tuple(rules), found, tuple(notes), **told)


class _Personal:
    """The outlook and its fall, with the threshold that the past before the cut gives."""

    def __init__(
        self,
        model: Blend,
        horizon: int,
        lapse: int,
        least: int,
        known: Silences,
        after: Silences,
        cut: float,
        weeks: float,
        progress: Progress,
        early: int,
        step: int,
    ) -> None:
        self.early = early
        self.horizon, self.lapse, self.least, self.after, self.weeks = horizon, lapse, least, after, weeks
        self.fires, self.before, self.weekly = {}, {}, {}
        back, last = min(7.0 * WEEKS_BACK, cut / 2), max(lapse, least + 1)
        self.known, self.foreseen, self.days_known = Curves(model, known, horizon=horizon, last=last), {}, {}
        of_after = Curves(model, after, horizon=horizon, last=last)
        steps = [(kind, level) for kind in ("outlook", "fall") for level in LEVELS.tolist()]
        for done, (kind, level) in enumerate(steps):
            days = self.known.days(kind, level, least=least)
            then = days[self.known.place]
            self.days_known[kind, level] = days
            self.foreseen[kind, level] = self.known.foreseen(days)
            self.fires[kind, level] = of_after.days(kind, level, least=least)[of_after.place]
            self.before[kind, level] = known_precision(then, known, until=cut, horizon=horizon, lapse=lapse)
            self.weekly[kind, level] = step * weekly_alerts(then, known, until=cut, lapse=lapse, back=back)
            progress(done + 1, len(steps))

    def rules(
        self,
        name: str,
        chosen_by: str,
        *,
        precision: float | None = None,
        per_100: float | None = None,
        weekly: float | None = None,
    ) -> list[Judged]:
        """For each kind the earliest threshold that keeps the precision, or the number of alerts."""
        chosen = []
        for kind in ("outlook", "fall"):
            fit = [
                level
                for level in LEVELS.tolist()
                for before, number in [self.before[kind, level]]
                if (precision is not None and before >= precision)
                or (per_100 is not None and number <= per_100)
                or (weekly is not None and self.weekly[kind, level] <= weekly)
            ]
            if fit:
                level = max(fit)
                chosen.append(self._judged(f"{kind} {name}", kind, level, self.fires[kind, level], chosen_by))
        return chosen

    def like_fixed(self, fixed: int) -> list[Judged]:
        """The loosest thresholds to which the model gives at least the precision of fixed days, over the same silences.

        Outcomes cannot say it: those known before a cut are of the silences that ended soon.
        """
        if fixed > self.lapse:
            return []
        chosen, by = [], f"fixed_{fixed}"
        wanted = self.known.foreseen(self.known.on(fixed)) - 1e-9
        for kind in ("outlook", "fall"):
            fit = [level for level in LEVELS.tolist() if self.foreseen[kind, level] >= wanted]
            if fit:
                chosen.append(self._judged(f"{kind} = {fixed}", kind, max(fit), self.fires[kind, max(fit)], by))
            if fixed > self.least:
                chosen += self._at_the_latest(kind, fixed, wanted, by)
        return chosen

    def _at_the_latest(self, kind: str, fixed: int, wanted: float, by: str) -> list[Judged]:
        """The score, and the fixed days where it has not fired by then: never later than the fixed rule.

        Where no threshold keeps the precision, the outlook stands at 0, which is the fixed rule itself: one sees
        that it was looked for. The fall is left out there; it would be the same row once more.
        """
        fit = [
            level
            for level in LEVELS.tolist()
            if (self.days_known[kind, level] < fixed).any()  # else it is the fixed rule under another name
            and self.known.foreseen(np.minimum(self.days_known[kind, level], fixed)) >= wanted
        ]
        if not fit and kind == "fall":
            return []
        level = max(fit, default=0.0)
        fires = np.minimum(self.fires[kind, level], fixed) if fit else np.full(len(self.after), float(fixed))
        return [self._judged(f"{kind} or {fixed}", kind, level, fires, by, latest=fixed)]

    def _judged(self, name: str, kind: str, level: float, fires: Floats, chosen_by: str, *, latest: int = 0) -> Judged:
        return judged(
            name, level, fires, self.after, horizon=self.horizon, lapse=self.lapse, weeks=self.weeks, kind=kind,
            chosen_by=chosen_by, latest=latest, early=self.early,
        )  # fmt: skip


def _learned(past: Days, horizon: int, models: str) -> Blend:
    """What is fitted on the days that are known."""
    known = past.until(past.end).summary()
    if models == BGNBD.name:
        return Blend((BGNBD().fit(known),))
    return Blend.fitted(known, rhythm.learned(past, horizon))


def _fixed(after: Silences, fixed: Sequence[int], horizon: int, lapse: int, weeks: float, early: int) -> list[Judged]:
    rules = []
    for days in fixed:
        if days <= lapse:
            fires = np.full(len(after), float(days))
            rules.append(_plain(f"fixed {days}", "fixed", days, fires, after, horizon, lapse, weeks, early))
    for times in GAPS:
        fires = np.maximum(times * after.t_x / np.maximum(after.x, 1), 1.0)
        rules.append(_plain(f"{times} x own gap", "gaps", times, fires, after, horizon, lapse, weeks, early))
    return rules


def _plain(
    rule: str,
    kind: str,
    number: int,
    fires: Floats,
    after: Silences,
    horizon: int,
    lapse: int,
    weeks: float,
    early: int,
) -> Judged:
    """A rule whose threshold is its name."""
    return judged(rule, number, fires, after, horizon=horizon, lapse=lapse, weeks=weeks, kind=kind, early=early)


def _as_seen(seen: Silences, cut: float) -> Silences:
    """What was known of silences on the day of the cut: who came later had not come yet."""
    length = np.where(seen.began + seen.length <= cut, seen.length, np.inf)
    return Silences(seen.began, seen.x, seen.t_x, seen.longest, length)
