"""Pictures drawn on the server: the lifecycle ribbon, the rhythm of purchases, spark lines. Pure geometry.

Horizontal places are percent of the width, so that words keep their size on a phone; the spark has its own view box.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from changke.interfaces.web import formats


@dataclass(frozen=True)
class Period:
    """Days spent in one stage: from `first` up to, but not including, `until`."""

    stage: str
    words: str
    first: dt.date
    until: dt.date


@dataclass(frozen=True)
class Band:
    stage: str
    words: str
    width_percent: float
    starts: str


@dataclass(frozen=True)
class Ribbon:
    bands: list[Band]
    dots_percent: list[float]
    months: int
    said: str
    """The whole picture as a sentence for who cannot see it."""


MOST_DOTS = 120
"""More would be a smear; the latest are kept."""


def ribbon(periods: Sequence[Period], visits: Sequence[dt.date], language: str) -> Ribbon:
    """Coloured stage bands over time with a dot per visit day."""
    if not periods:
        return Ribbon([], [], 0, "")
    start, end = periods[0].first, periods[-1].until
    whole = max((end - start).days, 1)
    bands = [
        Band(one.stage, one.words, round((one.until - one.first).days * 100 / whole, 2), f"{one.first:%y-%m}")
        for one in periods
    ]
    dots = [
        round((day - start).days * 100 / whole, 2) for day in sorted(set(visits))[-MOST_DOTS:] if start <= day <= end
    ]
    said = formats.enumeration([f"{one.words} {one.first:%Y-%m-%d}" for one in periods], language)
    return Ribbon(bands, dots, max(round(whole / 30.44), 1), said)


@dataclass(frozen=True)
class Mark:
    x: float
    words: str

    @property
    def anchor(self) -> str:
        """Words near an edge lean inward."""
        return "start" if self.x < 12 else "end" if self.x > 88 else "middle"


@dataclass(frozen=True)
class Rhythm:
    """A time line of about a year: what she bought, when she is expected, how long she has been waited for."""

    bought: list[Mark]
    visited: list[Mark]
    months: list[Mark]
    today_x: float
    last_x: float | None
    expected: Mark | None
    window: tuple[float, float] | None
    late: bool

    @property
    def window_width(self) -> float:
        return round(self.window[1] - self.window[0], 2) if self.window else 0


RHYTHM_MARGIN_PERCENT = 2
LOOK_BACK_DAYS = 365


def rhythm(
    *,
    purchases: Sequence[dt.date],
    visits: Sequence[dt.date],
    expected: dt.date | None,
    tolerance_days: int,
    today: dt.date,
    language: str,
) -> Rhythm:
    """Draw the last year (less for a young customer) up to a little after today or the expected day.

    `tolerance_days` is how far around `expected` still counts as on time.
    """
    happened = sorted({*purchases, *visits})
    first = max(happened[0] if happened else today, today - dt.timedelta(days=LOOK_BACK_DAYS))
    begin = min(first, today - dt.timedelta(days=60)) - dt.timedelta(days=5)
    end = max(today, (expected or today) + dt.timedelta(days=tolerance_days)) + dt.timedelta(days=12)
    end = min(end, today + dt.timedelta(days=LOOK_BACK_DAYS))

    def x(day: dt.date) -> float:
        inner = 100 - 2 * RHYTHM_MARGIN_PERCENT
        share = (day - begin).days / max((end - begin).days, 1)
        return round(RHYTHM_MARGIN_PERCENT + inner * min(max(share, 0), 1), 2)

    def mark(day: dt.date) -> Mark:
        return Mark(x(day), formats.day(day, today, language))

    only_visits = set(visits) - set(purchases)
    tolerance = dt.timedelta(days=tolerance_days)
    return Rhythm(
        bought=[mark(day) for day in sorted(set(purchases)) if day >= begin],
        visited=[mark(day) for day in sorted(only_visits) if day >= begin],
        months=month_marks(begin, end, x, language),
        today_x=x(today),
        last_x=x(happened[-1]) if happened else None,
        expected=mark(expected) if expected and expected <= end else None,
        window=(x(expected - tolerance), x(expected + tolerance)) if expected else None,
        late=bool(expected and today > expected + tolerance),
    )


def month_marks(begin: dt.date, end: dt.date, x: Callable[[dt.date], float], language: str) -> list[Mark]:
    """The first day of each month, at most about six of them."""
    step = max(1, round((end - begin).days / 30.44 / 6))
    marks, day = [], begin.replace(day=1)
    while day <= end:
        if day >= begin and (day.year * 12 + day.month) % step == 0:
            marks.append(Mark(x(day), formats.short_month(day, language)))
        day = (day.replace(day=28) + dt.timedelta(days=7)).replace(day=1)
    return marks


SPARK_WIDTH, SPARK_HEIGHT = 96, 28


def spark_points(values: Sequence[float]) -> str:
    """Points of a polyline that fills the spark's box; one value is a flat line."""
    if not values:
        return ""
    if len(values) == 1:
        values = [values[0], values[0]]
    low, high = min(values), max(values)
    spread = (high - low) or 1
    step = SPARK_WIDTH / (len(values) - 1)
    return " ".join(
        f"{i * step:.1f},{SPARK_HEIGHT - 3 - (value - low) / spread * (SPARK_HEIGHT - 6):.1f}"
        for i, value in enumerate(values)
    )
