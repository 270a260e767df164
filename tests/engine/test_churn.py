"""Warnings: each number by hand, the truth of invented chains, and shops with too little to say anything."""

import datetime as dt
import sys
from typing import Any

import numpy as np
import pytest

from changke.engine import churn
from changke.engine.churn.curves import Curves
from changke.engine.churn.judge import judged
from changke.engine.churn.silences import Silences
from changke.engine.clv import BGNBD, MBGNBD
from changke.engine.clv.regular import BGCNBD
from changke.engine.prediction.days import Days
from changke.engine.prediction.models import Blend
from changke.engine.refusals import NotASetting

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
    seen = silences(np.repeat(x, 100), np.repeat(t_x, 100))
    expected = (curves := Curves(model, seen, horizon=horizon, last=180)).foreseen(curves.on(fixed))
    alerts = true = 0
    for repeat, last in zip(x, t_x, strict=True):
        alive = chance.random(draws) < model.p_alive([repeat], [last], [last])[0]
        rate = chance.gamma(model.r + repeat, 1 / (model.alpha + last), draws)
        gap = np.where(alive, chance.exponential(1 / rate), np.inf)
        alerts, true = alerts + int((gap > fixed).sum()), true + int((gap > fixed + horizon).sum())
    assert expected == pytest.approx(true / alerts, abs=0.01)
    assert np.isnan(curves.foreseen(np.full(2, np.inf)))


def silences(x: Any, t_x: Any) -> Silences:
    """That began today, of customers with these pasts."""
    none = np.zeros(len(x))
    return Silences(none, np.asarray(x, float), np.asarray(t_x, float), none, np.full(len(x), np.inf))


@pytest.mark.parametrize("kind", ["outlook", "fall"])
def test_of_whoever_comes_by_chance_the_score_only_falls_and_three_ways_to_ask_agree(kind: str) -> None:
    model, x, t_x = BGNBD(r=0.6, alpha=30.0, a=0.8, b=2.2), np.arange(12.0), np.arange(12.0) * 25
    curves = Curves(model, silences(x, t_x), horizon=90, last=180)
    for level in (0.2, 0.45, 0.8):
        days = churn.fires_on(model, kind, level, x, t_x, horizon_days=90, least=14, most=180)
        every_third = curves.days(kind, level, least=14)[curves.place]  # asked every third day, straight between
        assert np.allclose(every_third, days, atol=1)
        for day in (14, 40, 100):
            silent = np.full(12, float(day))
            assert np.array_equal(churn.has_fired(model, kind, level, x, t_x, silent, horizon_days=90), days <= day)


def test_whoever_comes_every_hundred_days_is_no_warning_before_she_is_due() -> None:
    """Her outlook for a month is low the day after her visit, rises until the hundredth day and falls after it."""
    model = BGCNBD(k=8, r=40.0, alpha=500.0, a=0.4, b=6.0)  # hardly anybody differs: eight ticks, one every 12.5 days
    x, t_x = np.array([6.0]), np.array([600.0])

    def outlook(day: float) -> float:
        return float(model.p_active(30, x, t_x, t_x + day)[0])

    assert outlook(14) < 0.05 < 0.4 < outlook(100) > outlook(170)
    curves = Curves(model, silences(x, t_x), horizon=30, last=365)
    (day,) = curves.days("outlook", 0.25, least=14)
    assert 100 < day < 365
    assert outlook(day) < 0.25 <= outlook(day - 2), "asked every third day, straight between"
    for silent, fired in ((14, False), (60, False), (day - 2, False), (day + 1, True), (300, True)):
        told = churn.has_fired(model, "outlook", 0.25, x, t_x, np.array([float(silent)]), horizon_days=30)
        assert told.tolist() == [fired], silent
    assert churn.fires_on(model, "outlook", 0.25, x, t_x, horizon_days=30, least=14, most=365) == 14  # asks no rhythm


def test_a_rhythm_in_the_past_is_in_the_outlook_of_the_back_test() -> None:
    """Everybody comes every thirty days, give or take three, and leaves at some time: sixty silent days say it all."""
    chance, days_of = np.random.default_rng(8), list[list[int]]()
    for _ in range(500):
        stays = chance.geometric(0.08)
        gaps = np.maximum(np.rint(chance.normal(30, 3, stays)), 1)
        came = chance.integers(0, 200) + np.concatenate([[0], np.cumsum(gaps)])
        days_of.append(came[came < 900].astype(int).tolist())
    found = []
    for models in ("default", "BG/NBD"):
        said = churn.backtest(rows(*days_of), horizon_days=60, precision=0.9, models=models)
        found.append(next(one for one in said.rules if one.rule == "outlook right in 90%"))
    regular, plain = found
    assert regular.precision > 0.9
    assert regular.lead_days > plain.lead_days + 5, "the rhythm says it sooner, and is as often right"


def test_models_that_there_are_not_are_refused() -> None:
    with pytest.raises(NotASetting, match="models are one of default, BG/NBD, not 'Pareto'"):
        churn.backtest(rows([0, 10, 40]), models="Pareto")
    with pytest.raises(NotASetting, match="models are one of default, BG/NBD, not ''"):
        churn.examine(Days.of(rows([0, 10, 40]), observation_end=dt.date(2024, 6, 1)), horizon_days=30, models="")


def test_of_very_many_silences_some_are_judged_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = chain(600, leaving=0.1, alike=False)
    whole = churn.backtest(everybody, horizon_days=90, alerts_per_week=20)
    monkeypatch.setattr(sys.modules["changke.engine.churn.backtest"], "MOST_SILENCES", whole.silences)
    some = churn.backtest(everybody, horizon_days=90, alerts_per_week=20)
    assert any(note.startswith("one silence in ") for note in some.notes)
    assert some.silences < whole.silences
    for one, other in zip(whole.rules[:3], some.rules[:3], strict=True):
        assert other.alerts_per_week == pytest.approx(one.alerts_per_week, rel=0.3), "a week has as many alerts as ever"
        assert other.precision == pytest.approx(one.precision, abs=0.1)


def test_the_mean_of_the_models_is_what_they_say_together() -> None:
    one, other = BGNBD(r=0.6, alpha=30.0, a=0.8, b=2.2), MBGNBD(r=0.6, alpha=30.0, a=0.8, b=2.2)
    asked = (np.array([3.0]), np.array([90.0]), np.array([150.0]))
    both = Blend((one, other)).p_active(90, *asked)
    assert both == pytest.approx((one.p_active(90, *asked) + other.p_active(90, *asked)) / 2)


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
