"""Who spends more comes more often: learned from the past, half of it, totals kept."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from changke.engine.prediction import past, tilt
from changke.engine.prediction.days import Days
from changke.engine.prediction.fitted import Fitted, fit
from changke.engine.prediction.tilt import Tilt

END = dt.date(2026, 6, 30)


def shop(*, purse_says: float, seed: int = 5, customers: int = 1800, days: int = 500) -> Days:
    """Rates and purses of their own; `purse_says` is how far the one goes with the other. Nobody leaves."""
    chance = np.random.default_rng(seed)
    purse = chance.normal(0, 1, customers)
    gap = 120 * np.exp(-purse_says * purse + chance.normal(0, 0.4, customers))
    who, when, paid = [], [], []
    for customer in range(customers):
        day = float(chance.integers(0, days - 100))
        while day <= days:
            who.append(customer)
            when.append(int(day))
            paid.append(np.exp(3 + 0.8 * purse[customer] + chance.normal(0, 0.3)))
            day += float(chance.exponential(gap[customer])) + 1
    dates = np.datetime64(END, "D") - (days - np.array(when)) * np.timedelta64(1, "D")
    return Days.from_days(np.array(who), dates, np.array(paid), observation_end=END)


def asked(days: Days, horizon: int = 90) -> tuple[Fitted, Any, Any, Any, Any]:
    """Learned one horizon ago; what it says with the purse and without, and what came."""
    kept, window = fit(days.known_at(days.end - horizon), horizon_days=horizon), days.until(days.end - horizon)
    known = window.summary()
    return kept, kept.ask(known), replace(kept, tilt=Tilt()).ask(known), *window.outcome(horizon)


def test_where_the_purse_says_who_comes_it_is_listened_to() -> None:
    kept, said, without, came, money = asked(shop(purse_says=0.8))
    assert kept.tilt.days > 0.1
    assert kept.tilt.chance > 0.1
    assert past.area(came > 0, said["p_active"]) > past.area(came > 0, without["p_active"]) + 0.01
    error, before = (((one["expected_purchases"] - came) ** 2).mean() for one in (said, without))
    assert error < before
    assert said["p_active"].mean() == pytest.approx(without["p_active"].mean(), abs=1e-6)
    assert said["expected_purchases"].sum() == pytest.approx(without["expected_purchases"].sum())
    assert said["expected_spend"] == pytest.approx(without["expected_spend"]), "money has it in its level"
    assert said["expected_spend"].sum() == pytest.approx(money.sum(), rel=0.15)
    assert kept.level > 1.03
    assert np.all((said["p_active_low"] <= said["p_active"]) & (said["p_active"] <= said["p_active_high"]))


def test_where_it_says_nothing_hardly_anything_is_moved() -> None:
    kept, said, without, *_ = asked(shop(purse_says=0.0))
    assert abs(kept.tilt.days) < 0.04
    assert said["p_active"] == pytest.approx(without["p_active"], abs=0.05)
    assert kept.level == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize(
    ("each", "came"),
    [
        ([0.0, 0.0, 0.0], [1, 0, 2]),  # nobody pays
        ([5.0, 5.0, 5.0], [1, 0, 2]),  # all alike
        ([1.0, 5.0, 9.0], [0, 0, 0]),  # nobody came
    ],
)
def test_where_nothing_can_be_learned_the_models_stand(each: list[float], came: list[int]) -> None:
    columns = [np.array(column, float) for column in (each, [0.5, 0.6, 0.7], [0.4, 0.5, 0.6], came)]
    found = tilt.learned(*columns).kept_level(*columns[:3])
    assert found.factor(columns[0]) == pytest.approx(1.0)
    assert np.array_equal(found.active(columns[2], columns[0]), columns[2])


def test_even_where_all_who_pay_more_came_it_is_held() -> None:
    each = np.exp(np.linspace(0, 4, 1000))
    came = (each > np.median(each)) * 3.0
    found = tilt.learned(each, np.full(1000, 0.5), np.full(1000, 0.4), came)
    assert (found.days, found.chance) == (0.25, 0.25)
    assert found.active(np.array([0.0, 1.0]), np.array([1.0, 50.0])).tolist() == [0.0, 1.0]


def test_what_was_kept_before_purses_were_listened_to_is_read() -> None:
    kept = fit(shop(purse_says=0.8, customers=700), horizon_days=60)
    text = json.loads(kept.to_json())
    assert Fitted.from_json(json.dumps(text)).tilt == kept.tilt
    del text["tilt"]
    assert Fitted.from_json(json.dumps(text)).tilt == Tilt()
