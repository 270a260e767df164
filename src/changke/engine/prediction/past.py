"""What past windows teach: whether boosting helps, what it says, and at which level money came."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from changke.engine.clv.robust_spend import RobustSpend
from changke.engine.clv.statistics import Floats, columns_from, distinct
from changke.engine.prediction import boost, intervals
from changke.engine.prediction.days import Days, Window
from changke.engine.prediction.features import features
from changke.engine.prediction.models import Blend, Said

LEAST_DAYS = 28
LEAST_CUSTOMERS = 500
MOST_WINDOWS = 5
MOST_CUSTOMERS = 20_000
"""From how many the widths are learned: their error is then a third of a point, whatever the chain."""
APART = 30


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


def newest(days: Days, horizon: int) -> tuple[Window, int] | None:
    """The newest past window and how long its outcome is; None where the past is too short."""
    history = days.end - days.first_day
    length = min(horizon, history // 2)
    if length < LEAST_DAYS // 2 or history < LEAST_DAYS or history - length < length * 0.95:
        return None
    return days.until(days.end - length), length


def lessons(days: Days, horizon: int) -> list[Lesson]:
    """Past windows, newest first, each with at least as long a past as its outcome is long."""
    last = newest(days, horizon)
    if last is None or len(days.customers) < LEAST_CUSTOMERS:
        return []
    length, found = last[1], []
    for k in range(MOST_WINDOWS):
        cut = days.end - length - k * APART
        if cut - days.first_day < length * 0.95:
            break
        window = days.until(cut)
        known = window.summary()
        expected, active = Blend.fitted(known).ask(known, length)
        found.append(
            Lesson(window, length, features(window, expected, active), expected, active, *window.outcome(length))
        )
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
    alone, active, true = newest.expected[other], newest.active[other], newest.days[other]
    both = (levelled(count, alone) + alone) / 2
    # Judged at the level that came: how busy a window is says nothing about who comes.
    errors = [((levelled(said, true) - true) ** 2).mean() for said in (alone, both)]
    areas = [area(true > 0, active), area(true > 0, (moved(came, float(active.mean())) + active) / 2)]
    counts, ranks = bool(errors[1] < errors[0]), bool(areas[1] > areas[0])
    used = {(True, True): "counts and ranks", (True, False): "counts", (False, True): "ranks"}.get(
        (counts, ranks), "nothing"
    )
    numbers = f"squared error {errors[0]:.4g} -> {errors[1]:.4g}, AUC {areas[0]:.4f} -> {areas[1]:.4f}"
    return Verdict(
        counts, ranks, f"boosting is used for: {used} (on half of the customers of the newest past: {numbers})"
    )


def boosted(found: list[Lesson], rows: Floats) -> tuple[Floats, Floats]:
    """What boosting says of today's customers, at the level of the windows it learned from."""
    learn, days = np.concatenate([one.rows for one in found]), np.concatenate([one.days for one in found])
    return boost.learned(learn, days, rows)


def levelled(said: Floats, level_of: Floats) -> Floats:
    """`said`, with the sum of `level_of`."""
    total = float(said.sum())
    return said * (float(level_of.sum()) / total) if total > 0 else level_of


def moved(probability: Floats, mean: float) -> Floats:
    """Probabilities moved along the logistic curve until their mean is `mean`."""
    odds = logit(np.clip(probability, 1e-6, 1 - 1e-6))
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(odds + middle).mean() < mean else (low, middle)
    return np.asarray(expit(odds + low), float)


def level_now(days: Days, horizon: int) -> float:
    """Money that came for one expected in the newest past window, given the days that came; shrunk half."""
    found = newest(days, horizon) if len(days.customers) >= LEAST_CUSTOMERS else None
    if found is None:
        return 1.0
    window, length = found
    known = window.summary()
    came, money = window.outcome(length)
    said, brought = float(RobustSpend().fit(known).expected_spend(known) @ came), float(money.sum())
    return min(max(np.sqrt(brought / said), 0.5), 2.0) if said > 0 and brought > 0 else 1.0


def widths_now(days: Days, horizon: int) -> intervals.Widths:
    """What to ask of the models so that 80 % lie inside, from the newest past window.

    At the level that came: time is stretched until as many days are said as came. How busy a window is says nothing
    about how far customers lie around it.
    """
    found = newest(days, horizon) if len(days.customers) >= LEAST_CUSTOMERS else None
    if found is None:
        return intervals.Widths()
    window, length = found
    some = slice(None, None, -(-len(window) // MOST_CUSTOMERS))
    known, came = window.summary().some(some), window.outcome(length)[0][some]
    if not came.any():
        return intervals.Widths()
    rows, place = distinct(*columns_from(known))
    about = tuple(model.about(*rows) for model in Blend.fitted(known).models)
    stretched = float(length)
    for _ in range(3):
        said = Said.of(about, stretched)
        total = float(said.expected[place].sum())
        if total <= 0:
            return intervals.Widths()
        stretched *= min(max(float(came.sum()) / total, 0.2), 5.0)
    said = Said.of(about, stretched)
    return intervals.learned(said.expected[place], said.active.mean(axis=0)[place], said.variance[place], came)


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
