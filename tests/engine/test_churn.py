"""Warnings: each number by hand, the truth of invented chains, and shops with too little to say anything."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from changke.engine import churn
from changke.engine.churn.judge import expected_precision, judged
from changke.engine.churn.silences import Silences
from changke.engine.clv import BGNBD
from changke.engine.prediction.days import Days

START = np.datetime64("2024-01-01", "us")


def rows(*days_of: list[int]) -> dict[str, Any]:
    """Customers by the days on which they came."""
    who = np.repeat(np.arange(len(days_of)), [len(days) for days in days_of])
    day = np.concatenate([np.array(days, int) for days in days_of]) if days_of else np.zeros(0, int)
    return {"customer_id": who, "date": START + day * np.timedelta64(1, "D")}


def chain(customers: int, *, leaving: float, alike: bool, span: int = 720, seed: int = 4) -> dict[str, Any]:
    chance = np.random.default_rng(seed)
    days_of = []
    for _ in range(customers):
        gap = 30.0 if alike else float(chance.gamma(1.2, 25)) + 3
        day, days = float(chance.integers(0, 60)), list[int]()
        while day < span:
            days.append(int(day))
            if chance.random() < leaving:
                break
            day += float(chance.exponential(gap)) + 1
        days_of.append(days)
    return rows(*days_of)


def test_a_silence_knows_what_was_before_and_after() -> None:
    seen = Silences.of(Days.of(rows([0, 10, 40], [5]), observation_end=dt.date(2024, 4, 1)))
    assert seen.began.tolist() == [0, 10, 40, 5]
    assert seen.x.tolist() == [0, 1, 2, 0]
    assert seen.t_x.tolist() == [0, 10, 40, 0]
    assert seen.longest.tolist() == [0, 10, 30, 0]
    assert seen.length.tolist() == [10, 30, np.inf, np.inf]


def test_the_numbers_of_a_rule_by_hand() -> None:
    length = np.array([20.0, 70, 100, 200, np.inf])
    seen = Silences(np.zeros(5), np.full(5, 3.0), np.full(5, 60.0), np.full(5, 30.0), length)
    said = judged("fixed 60", 60, np.full(5, 60.0), seen, horizon=90, lapse=180)
    assert (said.precision, said.recall, said.lead_days) == (0.5, 1.0, 120.0)  # 70, 100 wrong; 200 and infinity true
    assert (said.false_per_100, said.alerts_per_100) == (40.0, 80.0)
    late = judged("fixed 150", 150, np.full(5, 150.0), seen, horizon=90, lapse=180)
    assert (late.recall, late.lead_days) == (0.0, 30.0)


def test_the_fall_is_one_on_the_day_of_the_last_purchase_and_falls() -> None:
    model = BGNBD(r=0.6, alpha=30.0, a=0.8, b=2.2)
    silent = np.arange(0, 200, 5.0)
    data = {"x": np.full(40, 5.0), "t_x": np.full(40, 100.0), "T": 100 + silent}
    fall = churn.fall_of_outlook(model, data, horizon_days=90)
    assert fall[0] == pytest.approx(1)
    assert np.all(np.diff(fall) < 0)
    assert np.all(np.diff(churn.outlook_score(model, data, horizon_days=90)) < 0)


def test_where_customers_differ_and_leave_silence_is_a_signal() -> None:
    said = churn.backtest(chain(600, leaving=0.1, alike=False), horizon_days=90)
    assert said.signal
    assert said.signal.auc > 0.6
    by_name = {rule.rule: rule for rule in said.rules}
    assert {"fixed 60", "fixed 90", "fixed 120", "2 x own gap", "outlook = 60", "fall = 60"} <= set(by_name)
    assert by_name["fixed 60"].recall == 1.0
    assert by_name["fixed 120"].lead_days == 60.0
    assert by_name["outlook = 60"].precision > 0.3
    assert said.table().rows == len(said.rules)


def test_the_outlook_with_a_last_day_never_warns_later_than_the_fixed_days() -> None:
    chance, days_of = np.random.default_rng(5), list[list[int]]()
    for rate in chance.gamma(0.8, 1 / 70, 1500):  # nobody leaves, and many come seldom
        gaps = chance.exponential(1 / rate, 60).clip(0, 1e6)
        came = np.unique((chance.integers(0, 60) + np.concatenate([[0.0], np.cumsum(gaps)])).astype(int))
        days_of.append(came[came < 720].tolist())
    said = churn.backtest(rows(*days_of), horizon_days=90, cut=dt.date(2024, 10, 1))
    by_name = {rule.rule: rule for rule in said.rules}
    for days in (60, 90, 120):
        fixed, sooner = by_name[f"fixed {days}"], by_name[f"outlook or {days}"]
        assert sooner.lead_days >= fixed.lead_days
        assert sooner.recall == fixed.recall == 1.0
        assert sooner.precision > fixed.precision - 0.05
        assert (sooner.kind, sooner.latest_days, sooner.chosen_by) == ("outlook", days, f"fixed_{days}")
    assert by_name["outlook or 120"].lead_days > 65  # customers differ: for some the outlook is worth listening to


def test_where_no_outlook_is_as_precise_a_last_day_stands_alone_and_a_later_minimum_leaves_it_out() -> None:
    leaves = chain(600, leaving=0.1, alike=False)
    by_name = {rule.rule: rule for rule in churn.backtest(leaves, horizon_days=90).rules}
    alone, fixed = by_name["outlook or 60"], by_name["fixed 60"]
    assert alone.threshold == 0.0
    assert (alone.precision, alone.recall, alone.lead_days) == (fixed.precision, fixed.recall, fixed.lead_days)
    assert "fall or 60" not in by_name  # the same row once more
    later = {rule.rule for rule in churn.backtest(leaves, horizon_days=90, minimum_silence=70).rules}
    assert "outlook or 60" not in later
    assert "outlook or 90" in later


def test_the_precision_that_a_model_expects_is_that_of_chains_made_by_it() -> None:
    model, chance, horizon, fixed = BGNBD(r=0.8, alpha=40.0, a=0.5, b=4.0), np.random.default_rng(3), 90, 60
    x, t_x, draws = np.array([2.0, 9.0]), np.array([40.0, 300.0]), 40_000
    expected = expected_precision(model, np.full(2, float(fixed)), x, t_x, np.full(2, 100.0), horizon=horizon)
    alerts = true = 0
    for repeat, last in zip(x, t_x, strict=True):
        alive = chance.random(draws) < model.p_alive([repeat], [last], [last])[0]
        rate = chance.gamma(model.r + repeat, 1 / (model.alpha + last), draws)
        gap = np.where(alive, chance.exponential(1 / rate), np.inf)
        alerts, true = alerts + int((gap > fixed).sum()), true + int((gap > fixed + horizon).sum())
    assert expected == pytest.approx(true / alerts, abs=0.01)
    never = expected_precision(model, np.full(2, np.inf), x, t_x, np.full(2, 100.0), horizon=horizon)
    assert np.isnan(never)


def test_where_all_are_alike_and_nobody_leaves_it_says_that_silence_means_nothing() -> None:
    said = churn.backtest(chain(800, leaving=0.0, alike=True), horizon_days=30)
    assert not said.signal
    assert said.signal.auc == pytest.approx(0.5, abs=0.06)
    assert any("no alert is worth raising" in note for note in said.notes)


def test_staff_get_no_more_alerts_than_they_can_handle() -> None:
    said = churn.backtest(chain(600, leaving=0.1, alike=False), horizon_days=90, alerts_per_100=10)
    for kind in ("outlook", "fall"):
        (few,) = [rule for rule in said.rules if rule.rule == f"{kind} 10 per 100"]
        assert few.alerts_per_100 < 25  # chosen before the cut, judged after it


def test_nobody_is_alarmed_about_before_the_minimum_silence() -> None:
    usual = churn.backtest(chain(400, leaving=0.1, alike=False), horizon_days=90, minimum_silence=100)
    for rule in usual.rules:
        if rule.kind in {"outlook", "fall"}:
            assert rule.lead_days <= 80


@pytest.mark.parametrize("days_of", [[], [[0]], [[0, 0, 0]], [[0, 1, 2, 3]], [[0], [0], [400]], [[0, 700]] * 30])
def test_a_shop_with_too_little_past_is_told_so(days_of: list[list[int]]) -> None:
    said = churn.backtest(rows(*days_of), horizon_days=90)
    assert said.rules == ()
    assert any("too few silences" in note for note in said.notes)
    assert not said.signal
