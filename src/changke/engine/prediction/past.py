"""What past windows teach: what boosting says and whether it helps; how much money came, from whom, how far around."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from changke.engine.clv.robust_spend import RobustSpend
from changke.engine.clv.statistics import Floats
from changke.engine.clv.summary import Summary
from changke.engine.clv.sums import moments
from changke.engine.prediction import boost, intervals
from changke.engine.prediction import tilt as tilting
from changke.engine.prediction.days import Days, Window
from changke.engine.prediction.features import features
from changke.engine.prediction.models import Asked, Blend, Rhythm, Said, together
from changke.engine.prediction.stores import Stores
from changke.engine.prediction.tilt import Tilt
from changke.engine.special import expit, logit

LEAST_DAYS = 28
LEAST_CUSTOMERS = 500
LEAST_AROUND = 100
"""From how many on the past says how far customers lie around what is expected."""
MOST_WINDOWS = 5
MOST_CUSTOMERS = 20_000
"""From how many the widths are learned: their error is then a third of a point, whatever the chain."""
APART = 30
ALIKE = Stores()


@dataclass(frozen=True)
class Lesson:
    """A past window with what was known, said and true."""

    window: Window
    horizon: int
    rows: Floats
    expected: Floats
    active: Floats
    days: Floats
    money: Floats
    each: Floats | None


def newest(days: Days, horizon: int) -> tuple[Window, int] | None:
    """The newest past window and how long its outcome is; None where the past is too short."""
    history = days.end - days.first_day
    length = min(horizon, history // 2)
    if length < LEAST_DAYS // 2 or history < LEAST_DAYS or history - length < length * 0.95:
        return None
    return days.until(days.end - length), length


def lessons(days: Days, horizon: int, rhythm: Rhythm = Rhythm(), worth: float | None = None) -> list[Lesson]:
    """Past windows, newest first, each with at least as long a past as its outcome is long. `worth`: of the chain for
    its stores, where they have models of their own."""
    last = newest(days, horizon)
    if last is None or len(days.customers) < LEAST_CUSTOMERS:
        return []
    length, found = last[1], []
    for window_back in range(MOST_WINDOWS):
        cut = days.end - length - window_back * APART
        if cut - days.first_day < length * 0.95:
            break
        window = days.until(cut)
        known = window.summary()
        chain = Blend.fitted(known, rhythm)
        expected, active = Stores.fitted(chain, known, worth).ask(chain, known, length)
        each = RobustSpend().fit(known).expected_spend(known) if days.has_money else None
        rows = features(window, expected, active)
        found.append(Lesson(window, length, rows, expected, active, *window.outcome(length), each))
    return found


@dataclass(frozen=True)
class Verdict:
    """Whether the mean of both counts better than the models alone, whether it ranks better, and by how much."""

    counts: bool
    ranks: bool
    why: str


def verdict(newest: Lesson, older: list[Lesson]) -> Verdict:
    """Learn from one half of the customers, look at the other: is the mean of both better than the models alone?"""
    mine = [(one.rows[half], one.days[half]) for one in (newest, *older) for half in [one.window.there % 2 == 0]]
    rows, days = (np.concatenate(parts) for parts in zip(*mine, strict=True))
    other = newest.window.there % 2 == 1
    count, came = boost.learned(rows, days, newest.rows[other])
    alone, active = _tilted(newest, ~other)
    alone, active, true = alone[other], active[other], newest.days[other]
    both = (levelled(count, alone) + alone) / 2
    # Judged at the level that came: how busy a window is says nothing about who comes.
    errors = [((levelled(said, true) - true) ** 2).mean() for said in (alone, both)]
    areas = [area(true > 0, said) for said in (active, ranked(active, came))]
    counts, ranks = bool(errors[1] < errors[0]), bool(areas[1] > areas[0])
    used = {(True, True): "counts and ranks", (True, False): "counts", (False, True): "ranks"}.get(
        (counts, ranks), "nothing"
    )
    numbers = f"squared error {errors[0]:.4g} -> {errors[1]:.4g}, AUC {areas[0]:.4f} -> {areas[1]:.4f}"
    return Verdict(
        counts, ranks, f"boosting is used for: {used} (on half of the customers of the newest past: {numbers})"
    )


def _tilted(lesson: Lesson, learn: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """What the models say, tilted by what some of the customers teach."""
    if lesson.each is None:
        return lesson.expected, lesson.active
    each, expected, active = lesson.each, lesson.expected, lesson.active
    tilt = tilting.learned(each[learn], expected[learn], active[learn], lesson.days[learn])
    tilt = tilt.kept_level(each, expected, active)
    return expected * tilt.factor(each), tilt.active(active, each)


def boosted(found: list[Lesson], rows: Floats) -> tuple[Floats, Floats]:
    """What boosting says of today's customers, at the level of the windows it learned from."""
    learn, days = np.concatenate([one.rows for one in found]), np.concatenate([one.days for one in found])
    return boost.learned(learn, days, rows)


def levelled(said: Floats, level_of: Floats) -> Floats:
    """`said`, with the sum of `level_of`."""
    total = float(said.sum())
    return said * (float(level_of.sum()) / total) if total > 0 else level_of


def ranked(active: Floats, learned: Floats) -> Floats:
    """The models' chances, handed out in the order of the mean of both: who comes first is learned, how likely that is
    stays what the models say, in total and in each tenth."""
    if not len(active):
        return active
    order = np.argsort(moved(learned, float(active.mean())) + active, kind="stable")
    handed = np.empty(len(active))
    handed[order] = np.sort(active)
    return handed


def moved(probability: Floats, mean: float) -> Floats:
    """Probabilities moved along the logistic curve until their mean is `mean`."""
    odds = logit(np.clip(probability, 1e-6, 1 - 1e-6))
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(odds + middle).mean() < mean else (low, middle)
    return np.asarray(expit(odds + low), float)


@dataclass(frozen=True)
class Lately:
    """What the newest past window teaches beyond the models.

    Attributes
    ----------
    level
        Money that comes for one expected, given as many days as came.
    tilt
        Who spends more comes more often.
    widths
        What to ask so that 80 % lie inside.
    money
        The law of the sums, and what to ask of it.
    growth
        How many times as much money a day of those who came brought as was said; its root is part of the level.
    """

    level: float = 1.0
    tilt: Tilt = field(default_factory=Tilt)
    widths: intervals.Widths = field(default_factory=intervals.Widths)
    money: intervals.MoneyAround = field(default_factory=intervals.MoneyAround)
    growth: float = 1.0


def time_that_came(about: Sequence[Asked], weights: Floats, place: Any, length: float, came: Floats) -> float | None:
    """The time in which as many days are said as came; None where none are or none did."""
    for _ in range(3):
        total = float(together([one.mean(length) for one in about], weights)[place].sum())
        if total <= 0 or not came.any():
            return None
        length *= min(max(float(came.sum()) / total, 0.2), 5.0)
    return length


def lately(
    days: Days, horizon: int, rhythm: Rhythm = Rhythm(), stores: Stores = ALIKE, chain: Blend | None = None
) -> Lately:
    """Ask of the newest past window what came of it.

    `stores` with their `chain`: their models as they were learned there, where they have some of their own.

    At the level that came: time is stretched until as many days are said as came. How busy a window is says nothing
    about who comes, with how much, and how far customers lie around what is expected.
    """
    found = newest(days, horizon) if len(days.customers) >= LEAST_AROUND else None
    if found is None:
        return Lately()
    window, length = found
    known, (came, money) = window.summary(), window.outcome(length)
    some = slice(None, None, -(-len(window) // MOST_CUSTOMERS))
    models = chain if chain and stores.own else Blend.fitted(known.some(some), rhythm)
    asked = stores.about(models, known)
    place = asked.place
    stretched = time_that_came(asked.models, models.weights, place, float(length), came)
    if stretched is None:
        return Lately()
    said = Said.of(asked.models, stretched, models.weights)
    expected, active, variance = said.expected[place], said.chance[place], said.variance[place]
    level, tilt, growth, around = 1.0, Tilt(), 1.0, intervals.MoneyAround()
    if days.has_money:
        spend = RobustSpend().fit(known)
        each = spend.expected_spend(known)
        if len(days.customers) >= LEAST_CUSTOMERS:
            level, growth = _level(each, expected, came, money)
            tilt = tilting.learned(each, expected, active, came).kept_level(each, expected, active)
        factor, active = tilt.factor(each), tilt.active(active, each)
        expected, variance = expected * factor, variance * factor
        around = _around(
            spend, known.some(some), factor[some], expected[some], variance[some], active[some], money[some]
        )
    widths = intervals.learned(expected[some], active[some], variance[some], came[some])
    return Lately(level, tilt, widths, around, growth)


def _around(
    spend: RobustSpend,
    known: Summary,
    factor: Floats,
    expected: Floats,
    variance: Floats,
    active: Floats,
    money: Floats,
) -> intervals.MoneyAround:
    """How the money of these customers lies around what was said, at the level of money that came."""
    each = spend.expected_spend(known)
    said, brought = float((each / factor) @ expected), float(money.sum())
    if said <= 0 or brought <= 0:
        return intervals.MoneyAround()
    scale = brought / said / factor
    within, unknown = (part * scale**2 for part in spend.variance_of_spend(known))
    mean, second = moments(each * scale, within, unknown, expected=expected, variance=variance)
    return intervals.learned_of_money(expected, active, mean, second, money)


def _level(each: Floats, expected: Floats, came: Floats, money: Floats) -> tuple[float, float]:
    """Half of how the money of a day has grown, and all of this: who brings more came more often than was said; and
    how it has grown."""
    said, those_who_came, brought = float(each @ expected), float(each @ came), float(money.sum())
    if said <= 0 or those_who_came <= 0 or brought <= 0:
        return 1.0, 1.0
    share, growth = float(came.sum()) / float(expected.sum()), min(max(brought / those_who_came, 0.5), 2.0)
    return min(max(float(np.sqrt(brought / those_who_came)) * those_who_came / (said * share), 0.5), 2.0), growth


def area(true: Floats, score: Floats) -> float:
    """Area under the curve: how often somebody who came was ranked above somebody who did not. 0.5 without either."""
    came = np.asarray(true, bool)
    ones, zeros = int(came.sum()), int((~came).sum())
    if not ones or not zeros:
        return 0.5
    # Equal scores share the mean of their ranks. scipy.stats would do it too, and takes as long to load as Django.
    _, place, equal = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(equal) - (equal - 1) / 2)[place]
    return float((ranks[came].sum() - ones * (ones + 1) / 2) / (ones * zeros))
