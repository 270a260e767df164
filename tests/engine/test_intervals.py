"""Four of five lie inside: whole numbers that come nearest, money, and widths learned from the past."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from changke.engine.clv.sums import between_money
from changke.engine.prediction.days import Days
from changke.engine.prediction.fitted import Fitted, fit
from changke.engine.prediction.holdout import interval_score
from changke.engine.prediction.intervals import Widths, between_days

END = dt.date(2026, 6, 30)


@pytest.mark.parametrize(
    ("active", "mean", "variance", "low", "high", "inside"),
    [
        (0.0, 0.0, 0.0, 0, 0, 1.0),  # nobody who certainly stays away comes
        (0.1, 0.12, 0.2, 0, 0, 0.9),  # none is likelier than promised, and nothing is narrower
        (0.3, 0.3, 0.21, 0, 0, 0.7),  # none alone holds 70 %, one more would hold all: 70 is nearer to 80
        (0.5, 0.5, 0.25, 0, 1, 1.0),  # none alone holds half
        (0.85, 0.85, 0.1275, 1, 1, 0.85),  # 15 % below are nearer to 10 % than nothing below
        (1.0, 1.0, 0.0, 1, 1, 1.0),
    ],
)
def test_the_edges_are_the_whole_numbers_that_come_nearest(
    active: float, mean: float, variance: float, low: int, high: int, inside: float
) -> None:
    found = between_days(*(np.array([value]) for value in (active, mean, variance, 0.8)))
    assert [float(part[0]) for part in found] == pytest.approx([low, high, inside], abs=1e-6)


def drawn(customers: int, seed: int) -> tuple[Any, ...]:
    """Stays away, or comes once and negative binomially often more: chances, moments and what came."""
    chance = np.random.default_rng(seed)
    active, size = chance.uniform(0.3, 1.0, customers), chance.uniform(0.5, 5.0, customers)
    further = chance.gamma(1.5, 4.0, customers) + 0.5
    more = chance.negative_binomial(size, size / (size + further))
    came = np.where(chance.random(customers) < active, 1.0 + more, 0.0)
    square = active * (further + further**2 / size + (1 + further) ** 2)
    mean = active * (1 + further)
    return active, mean, square - mean**2, came


def test_four_of_five_lie_inside_and_each_interval_knows_how_many() -> None:
    active, mean, variance, came = drawn(40_000, 1)
    low, high, said = between_days(active, mean, variance, np.full(len(came), 0.8))
    inside = (came >= low) & (came <= high)
    assert inside.mean() == pytest.approx(0.8, abs=0.01)
    for some in np.array_split(np.argsort(said), 10):
        assert inside[some].mean() == pytest.approx(said[some].mean(), abs=0.025)


def test_many_days_are_as_few_days_are() -> None:
    columns = [np.array([value, value]) for value in (1.0, 201.0, 1500.0)]
    columns[1][0] = 200.9  # counted one by one; the other by a curve
    low, high, said = between_days(*columns, np.full(2, 0.8))
    assert np.abs(low[0] - low[1]) <= 1
    assert np.abs(high[0] - high[1]) <= 1
    assert said == pytest.approx(0.8, abs=0.01)
    huge = between_days(*(np.array([value]) for value in (1.0, 1e6, 1e6, 0.8)))
    assert huge[0] < 1e6 < huge[1]


def test_money_has_no_lower_edge_for_whoever_may_well_stay_away() -> None:
    chance = np.random.default_rng(2)
    active = chance.uniform(0.05, 1.0, 50_000)
    came = np.where(chance.random(len(active)) < active, chance.gamma(2.0, 30.0, len(active)), 0.0)
    mean, second = active * 60.0, active * (60.0**2 + 2.0 * 30.0**2)
    low, high = between_money(active, mean, second, np.full(len(active), 0.8))
    for likely in (active < 0.2, (active >= 0.2) & (active < 0.9), active >= 0.9):
        inside = (came >= low) & (came <= high)
        wanted = np.maximum(1 - active, 0.8)[likely].mean()
        assert inside[likely].mean() == pytest.approx(wanted, abs=0.01)
    assert not low[active < 0.9].any()
    assert not high[active < 0.2].any()


def by_the_clock(customers: int, days: int = 400) -> Days:
    """Everybody comes every week, give or take a day, and nobody leaves."""
    chance = np.random.default_rng(4)
    who, when = [], []
    for customer in range(customers):
        day = float(chance.integers(0, 30))
        while day <= days:
            who.append(customer)
            when.append(int(day))
            day += 7 + float(chance.normal(0, 1))
    dates = np.datetime64(END, "D") - (days - np.array(when)) * np.timedelta64(1, "D")
    return Days.from_days(np.array(who), dates, np.full(len(who), 30.0), observation_end=END)


def test_who_comes_by_the_clock_gets_narrower_intervals_than_the_models_alone_give() -> None:
    days = by_the_clock(800)
    cut = days.end - 90
    kept, window = fit(days.known_at(cut), horizon_days=90), days.until(cut)
    known, (came, _) = window.summary(), window.outcome(90)
    held, wide = [], []
    for one in (kept, replace(kept, widths=Widths())):
        said = one.ask(known)
        held.append(np.mean((came >= said["purchases_low"]) & (came <= said["purchases_high"])))
        wide.append(np.mean(said["purchases_high"] - said["purchases_low"]))
    assert held[1] > 0.95
    assert wide[0] < wide[1]
    assert max(kept.widths.asked) < 0.8


def test_what_was_kept_before_widths_were_learned_is_read() -> None:
    kept = json.loads(fit(by_the_clock(600), horizon_days=60).to_json())
    assert Fitted.from_json(json.dumps(kept)).widths.asked != Widths().asked
    del kept["widths"]
    assert Fitted.from_json(json.dumps(kept)).widths == Widths()


def test_the_score_is_the_width_and_ten_times_what_lies_outside() -> None:
    columns = (np.array([value] * 3, float) for value in (1, 3))
    assert interval_score(*columns, np.array([0.0, 2.0, 5.0])).tolist() == pytest.approx([12.0, 2.0, 22.0])
