"""How many times as many customers come on the days around a holiday that moves: docs/algorithms/outlook.md, 2."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from changke.engine.clv.statistics import Floats
from changke.engine.prediction.days import Days
from changke.engine.prediction.holidays import CALENDARS, SPRING_FESTIVAL
from changke.engine.refusals import NotASetting

LONG, SHORT = 28, 7
"""How many days before and after it a holiday is felt."""
GROUPS = {
    LONG: (-28, -25, -22, -19, -16, -13, -10, -7, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 9, 11, 13, 16, 19, 22, 25),
    SHORT: (-7, -4, -2, -1, 0, 1, 2, 4, 6),
}
"""Where groups of days begin that have one index."""
LEAST_SEEN = 2
LEAST_GAIN = 3.0
LEAST_DAYS = 500
MOST_DAYS = 2_190
BEND_DAYS = 42
LEVEL, INDEX, BEND = 0.1, 0.5, 0.3
"""Deviations of logarithms before anything is seen: the level around a holiday, an index, a bend of the trend."""
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
LEAST, MOST = 0.02, 5.0
STEPS = 25


@dataclass(frozen=True)
class Festival:
    """What was learned of one holiday.

    Attributes
    ----------
    name
        One of those in `holidays.CALENDARS`.
    seen
        How many were seen whole.
    index
        How many times as many come, of each day from `reach` days before it to as many after it.
    """

    name: str
    seen: int
    index: tuple[float, ...]


@dataclass(frozen=True)
class Calendar:
    """The holidays of which something was learned. Without any, every day is like another.

    Attributes
    ----------
    name
        Whose holidays were asked for.
    usual
        The mean index of the days that the models have learned from.
    """

    name: str = "none"
    festivals: tuple[Festival, ...] = ()
    usual: float = 1.0

    def pace(self, begin: int, days: int) -> float:
        """How fast time goes in so many days from `begin` on (days since 1970), 1 being what the models know."""
        if not self.festivals or days <= 0:
            return 1.0
        return float(self._index(begin, days).mean()) / self.usual

    def learned_from(self, first: int, last: int) -> "Calendar":
        """The same for models that know these days, both included."""
        if not self.festivals or last < first:
            return replace(self, usual=1.0)
        return replace(self, usual=float(self._index(first, last - first + 1).mean()))

    def _index(self, begin: int, days: int) -> Floats:
        found = np.ones(days)
        for one in self.festivals:
            reach = len(one.index) // 2
            for day in _days_of(self.name, one.name):
                first = day - reach - begin
                low, high = max(first, 0), min(first + len(one.index), days)
                if low < high:
                    found[low:high] *= one.index[low - first : high - first]
        return found

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Self:
        """Fits of before knew no calendar."""
        if not kept:
            return cls()
        festivals = tuple(
            Festival(str(one["name"]), int(one["seen"]), tuple(float(each) for each in one["index"]))
            for one in kept["festivals"]
        )
        return cls(str(kept["name"]), festivals, float(kept["usual"]))


def checked(calendar: str) -> str:
    """A calendar that there is."""
    if calendar not in CALENDARS:
        raise NotASetting(f"calendar is one of {', '.join(sorted(CALENDARS))}, not {calendar!r}")
    return calendar


def learned(days: Days, calendar: str) -> Calendar:
    """What the purchase days before the end say of the holidays of a calendar, as far as it foretold itself."""
    plain = Calendar(checked(calendar))
    first = max(days.first_day, days.end - MOST_DAYS, days.dated_from or days.first_day)
    if len(days.day) < LEAST_DAYS or days.end - first < 2 * LONG:
        return plain
    there = days.day >= first
    came = np.bincount(days.day[there] - first, minlength=days.end - first + 1).astype(float)
    spans = _spans(calendar, first, days.end)
    if max((len(whole) for whole, _ in spans.values()), default=0) < LEAST_SEEN:
        return plain
    festivals = _believed(_Shape.of(came, first, spans), spans)
    return replace(plain, festivals=festivals).learned_from(days.first_day, days.end)


Spans = dict[str, tuple[list[int], list[int]]]
"""Holiday -> the days of those seen whole, and of all that touch what is known; days since 1970."""


def _spans(calendar: str, first: int, last: int) -> Spans:
    found: Spans = {}
    for name in CALENDARS[calendar]:
        reach, every = reach_of(name), _days_of(calendar, name)
        whole = [day for day in every if day - reach >= first and day + reach <= last]
        found[name] = (whole, [day for day in every if day + reach >= first and day - reach <= last])
    return found


def reach_of(name: str) -> int:
    """How far a holiday is felt, in days."""
    return LONG if name == SPRING_FESTIVAL else SHORT


def _days_of(calendar: str, name: str) -> list[int]:
    return [(day - dt.date(1970, 1, 1)).days for day in CALENDARS[calendar].get(name, ())]


@dataclass(frozen=True)
class _Shape:
    """The days as a regression sees them: what came, columns, and the precision of each coefficient beforehand.

    `places` are the columns of the groups of each holiday.
    """

    came: Floats
    columns: Floats
    precision: Floats
    places: dict[str, slice]
    first: int

    @classmethod
    def of(cls, came: Floats, first: int, spans: Spans) -> Self:
        days = np.arange(len(came))
        knots = np.arange(0, len(came) + BEND_DAYS, BEND_DAYS)
        # A line that bends at each knot: heights at the knots, tents between them.
        trend = np.maximum(0.0, 1 - np.abs(days[:, None] - knots) / BEND_DAYS)
        week = ((days + first) % 7)[:, None] == np.arange(6)
        parts, places, at = [trend, week.astype(float)], {}, len(knots) + 6
        for name, (_, touched) in spans.items():
            groups = GROUPS[reach_of(name)]
            group = np.full(len(came), -1)
            for day in touched:
                since = days + first - day
                near = np.abs(since) <= reach_of(name)
                group[near] = np.searchsorted(groups, since[near], side="right") - 1
            parts.append((group[:, None] == np.arange(len(groups))).astype(float))
            places[name] = slice(at, at + len(groups))
            at += len(groups)
        precision = np.zeros((at, at))
        bends = np.diff(np.eye(len(knots)), 2, axis=0)
        precision[: len(knots), : len(knots)] = bends.T @ bends / BEND**2 + 1e-4 * np.eye(len(knots))
        rest = np.arange(len(knots), at)
        precision[rest, rest] = 1 / INDEX**2
        return cls(came, np.hstack(parts), precision, places, first)

    def fitted(self, kept: Any, *, scatter: float, begin: Floats | None = None) -> Floats:
        """The coefficients that the kept days make likeliest, by Newton's steps."""
        columns, came = self.columns[kept], self.came[kept]
        at = np.zeros(columns.shape[1]) if begin is None else begin
        if begin is None:
            at[: self.knots] = np.log(max(float(came.mean()), 0.1))
        for _ in range(STEPS):
            mean = np.exp(np.clip(columns @ at, -20, 20))
            slope = columns.T @ (came - mean) / scatter - self.precision @ at + self.precision @ self._centre(came)
            curve = (columns * (mean / scatter)[:, None]).T @ columns + self.precision
            step = np.linalg.solve(curve, slope)
            at = at + np.clip(step, -1.0, 1.0)
            if np.abs(step).max() < 1e-4:
                break
        return at

    @property
    def knots(self) -> int:
        return min((place.start for place in self.places.values()), default=0) - 6

    def _centre(self, came: Floats) -> Floats:
        """Where the trend is held, very loosely."""
        centre = np.zeros(self.columns.shape[1])
        centre[: self.knots] = np.log(max(float(came.mean()), 0.1))
        return centre

    def scatter(self, at: Floats) -> float:
        """How many times as far days lie around what is said as Poisson's."""
        mean = np.exp(np.clip(self.columns @ at, -20, 20))
        free = max(len(self.came) - len(at), 1)
        return max(float(((self.came - mean) ** 2 / np.maximum(mean, 0.1)).sum()) / free, 1.0)


def _believed(shape: _Shape, spans: Spans) -> tuple[Festival, ...]:
    """The holidays that were foretold better with what the other years taught than without."""
    everything = np.ones(len(shape.came), bool)
    at = shape.fitted(everything, scatter=1.0)
    scatter = shape.scatter(at)
    at = shape.fitted(everything, scatter=scatter, begin=at)
    gains: dict[str, list[list[float]]] = {name: [] for name in spans}
    for year in sorted({_year(day) for whole, _ in spans.values() for day in whole}):
        out = {
            name: [slice(day - reach_of(name) - shape.first, day + reach_of(name) + 1 - shape.first)]
            for name, (whole, _) in spans.items()
            for day in whole
            if _year(day) == year
        }
        kept = everything.copy()
        for (span,) in out.values():
            kept[span] = False
        told = shape.fitted(kept, scatter=scatter, begin=at)
        for name, (span,) in out.items():
            gains[name].append(_gains(shape, told, name, span, scatter))
    found = []
    for name, of_each in gains.items():
        if len(of_each) < LEAST_SEEN:
            continue
        each = np.array(of_each)
        best = int(each.sum(axis=0).argmax())
        better = (each[:, best] > 0).sum()
        if each[:, best].sum() >= LEAST_GAIN and 3 * better >= 2 * len(each):
            found.append(_festival(name, len(each), STRENGTHS[best] * at[shape.places[name]]))
    return tuple(found)


def _gains(shape: _Shape, told: Floats, name: str, span: slice, scatter: float) -> list[float]:
    """How much likelier each strength makes the days of one holiday than none; its level is free within a tenth."""
    came, columns, place = shape.came[span], shape.columns[span], shape.places[name]
    effect = columns[:, place] @ told[place]
    base = columns @ told - effect
    values = []
    for strength in STRENGTHS:
        logs = base + strength * effect
        total, level = float(np.exp(np.clip(logs, -20, 20)).sum()), 0.0
        for _ in range(STEPS):
            mean = total * np.exp(level)
            level += ((came.sum() - mean) / scatter - level / LEVEL**2) / (mean / scatter + 1 / LEVEL**2)
        said = (float(came @ logs) + float(came.sum()) * level - total * np.exp(level)) / scatter
        values.append(said - level**2 / LEVEL**2 / 2)
    return [one - values[0] for one in values]


def _festival(name: str, seen: int, logs: Floats) -> Festival:
    reach = reach_of(name)
    group = np.searchsorted(GROUPS[reach], np.arange(-reach, reach + 1), side="right") - 1
    index = np.clip(np.exp(logs[group]), LEAST, MOST)
    return Festival(name, seen, tuple(round(float(one), 4) for one in index))


def _year(day: int) -> int:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).year
