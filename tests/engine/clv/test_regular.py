"""Customers who come by the clock: closed forms against the plain models and against shops that were played."""

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import gammaln

from changke.engine.clv import BGCNBD, BGNBD, MBGCNBD, MBGNBD, Statistics
from changke.engine.prediction.days import Days
from changke.engine.prediction.fitted import Fitted, fit
from changke.engine.prediction.models import Blend, Rhythm
from changke.engine.prediction.rhythm import learned, likeliest, regularity

END = dt.date(2026, 6, 30)
VALUES = {"r": 0.6, "alpha": 20.0, "a": 0.8, "b": 2.5}
X, T_X, T = [0.0, 1.0, 3.0, 7.0, 2.0], [0.0, 40.0, 90.0, 200.0, 300.0], [30.0, 200.0, 100.0, 210.0, 300.0]


@pytest.mark.parametrize(("plain", "regular"), [(BGNBD, BGCNBD), (MBGNBD, MBGCNBD)])
def test_with_one_tick_it_is_the_plain_model(plain: Any, regular: Any) -> None:
    one, other = plain(**VALUES), regular(k=1, **VALUES)
    assert other.p_alive(X, T_X, T) == pytest.approx(one.p_alive(X, T_X, T))
    for horizon in (0.0, 30.0, 400.0):
        assert other.p_active(horizon, X, T_X, T) == pytest.approx(one.p_active(horizon, X, T_X, T))
        assert other.expected_purchases(horizon, X, T_X, T) == pytest.approx(one.expected_purchases(horizon, X, T_X, T))
        assert other.variance_of_purchases(horizon, X, T_X, T) == pytest.approx(
            one.variance_of_purchases(horizon, X, T_X, T), rel=1e-6
        )
        assert other.at_least(3, horizon, X, T_X, T) == pytest.approx(one.at_least(3, horizon, X, T_X, T))
    rows = Statistics.of(X, T_X, T)
    values = np.array(list(VALUES.values()))
    for mine, theirs in zip(other._likelihood(rows)(values), one._likelihood(rows)(values), strict=True):
        assert mine == pytest.approx(theirs)


@pytest.mark.parametrize("model", [BGCNBD, MBGCNBD])
def test_the_slope_of_the_likelihood_is_its_slope(model: Any) -> None:
    target = model(k=3, **VALUES)._likelihood(Statistics.of(X, T_X, T))
    values = np.array(list(VALUES.values()))
    for place in range(4):
        step = np.zeros(4)
        step[place] = 1e-5 * values[place]
        numeric = (target(values + step)[0] - target(values - step)[0]) / (2 * step[place])
        assert target(values)[1][place] == pytest.approx(numeric, rel=1e-4)


def world(customers: int, k: int, seed: int, ahead: float = 90.0) -> tuple[Any, ...]:
    """Played purchase by purchase: x, t_x, T, the logarithms of the gaps, what came in the days ahead."""
    chance = np.random.default_rng(seed)
    rate, coin = chance.gamma(0.9, 1 / 6, customers), chance.beta(0.8, 3.0, customers)
    age = chance.uniform(200, 400, customers)
    x, t_x, came, log_gaps = np.zeros(customers), np.zeros(customers), np.zeros(customers), 0.0
    for who in range(customers):
        day = 0.0
        while chance.random() > coin[who]:
            gap = chance.gamma(k, 1 / rate[who])
            day += gap
            if day > age[who] + ahead:
                break
            if day <= age[who]:
                x[who], t_x[who], log_gaps = x[who] + 1, day, log_gaps + np.log(gap)
            else:
                came[who] += 1
    return x, t_x, age, log_gaps, came


def test_what_was_played_is_found_and_foretold() -> None:
    x, t_x, age, log_gaps, came = world(8000, k=3, seed=1)
    values = {}
    for k in (1, 2, 3, 4):
        fitted = MBGCNBD(k=k).fit(x=x, t_x=t_x, T=age).fit_
        assert fitted is not None
        assert fitted.converged
        values[k] = fitted.log_likelihood + (k - 1) * log_gaps - x.sum() * gammaln(k)
    assert max(values, key=lambda k: values[k]) == 3
    found = MBGCNBD(k=3).fit(x=x, t_x=t_x, T=age)
    assert found.r == pytest.approx(0.9, rel=0.08)
    assert found.alpha == pytest.approx(6.0, rel=0.12)
    assert found.a / (found.a + found.b) == pytest.approx(0.8 / 3.8, rel=0.1)
    active, expected = found.p_active(90, x, t_x, age), found.expected_purchases(90, x, t_x, age)
    for tenth in np.array_split(np.argsort(active), 10):
        assert active[tenth].mean() == pytest.approx((came[tenth] > 0).mean(), abs=0.055)
    assert expected.mean() == pytest.approx(came.mean(), abs=4 * came.std() / 8000**0.5)
    for n in (1, 2, 5):
        assert found.at_least(n, 90, x, t_x, age).mean() == pytest.approx((came >= n).mean(), abs=0.01)
    plain = MBGNBD().fit(x=x, t_x=t_x, T=age).expected_purchases(90, x, t_x, age)
    assert ((expected - came) ** 2).mean() < ((plain - came) ** 2).mean()


def test_mean_and_variance_are_those_of_the_distribution() -> None:
    model = MBGCNBD(k=4, r=1.2, alpha=8.0, a=0.7, b=4.0)
    over = np.array([model.at_least(n, 120, X, T_X, T) for n in range(1, 400)])
    n = np.arange(1, 400)[:, None]
    mean = over.sum(axis=0)
    assert model.expected_purchases(120, X, T_X, T) == pytest.approx(mean, rel=1e-6)
    assert model.variance_of_purchases(120, X, T_X, T) == pytest.approx(
        (2 * (n - 1) * over).sum(axis=0) + mean - mean**2, rel=1e-5
    )


def test_silence_weighs_more_where_gaps_are_alike() -> None:
    columns = ([6.0], [180.0], [300.0])  # every 30 days, then 120 days of nothing
    assert MBGCNBD(k=4, r=0.6, alpha=5.0, a=0.8, b=2.5).p_alive(*columns)[0] < MBGNBD(**VALUES).p_alive(*columns)[0] / 2


def shop(customers: int, k: int, seed: int = 2, days: int = 500) -> Days:
    chance = np.random.default_rng(seed)
    who, when = [], []
    for customer in range(customers):
        day, gap = float(chance.integers(0, days // 2)), float(chance.gamma(6, 5)) + 10
        while day <= days:
            who.append(customer)
            when.append(int(day))
            if chance.random() < 0.1:
                break
            day += max(float(chance.gamma(k, gap / k)), 1.0)
    dates = np.datetime64(END, "D") - (days - np.array(when)) * np.timedelta64(1, "D")
    return Days.from_days(np.array(who), dates, np.full(len(who), 30.0), observation_end=END)


def test_a_rhythm_is_taken_up_where_the_past_confirms_it() -> None:
    days = shop(1200, k=5)
    assert regularity(days) > 2
    assert 3 <= likeliest(days) <= 7
    kept = fit(days.known_at(days.end - 60), horizon_days=60)
    assert kept.rhythm.k > 1
    assert [model.name for model in kept.models.models][:2] == ["BG/CNBD-k", "MBG/CNBD-k"]
    assert any("by the clock" in note for note in kept.notes)
    window = days.until(days.end - 60)
    known, (came, _) = window.summary(), window.outcome(60)
    again = Fitted.from_json(kept.to_json())
    assert again.rhythm == kept.rhythm
    said = again.ask(known)
    assert np.array_equal(said["p_active"], kept.ask(known)["p_active"])
    plain = MBGNBD().fit(known).p_active(60, known.x, known.t_x, known.T)
    brier = [((one - (came > 0)) ** 2).mean() for one in (said["p_active"], plain)]
    assert brier[0] < brier[1] * 0.97


def test_gaps_that_were_laid_evenly_are_no_rhythm() -> None:
    """An old system told of half of the customers how often they came from one day to another, and no days between."""
    days = shop(1200, k=1)
    old = np.repeat(np.arange(1200), 12) + 5_000
    laid = np.tile(np.arange(12) * 30, 1200) + days.end - 900
    both = Days.from_days(
        np.concatenate([days.customers[days.who], old]),
        np.datetime64("1970-01-01") + np.concatenate([days.day, laid]),
        np.full(len(days.who) + len(old), 30.0), observation_end=END,
    )  # fmt: skip
    told = replace(both, dated_from=days.first_day)
    assert regularity(both) > 2, "if nobody said which days were laid"
    assert regularity(told.dated()) < 1.5
    assert learned(told, 60) == Rhythm()
    assert np.array_equal(told.dated().customers, days.customers)


def skipping(customers: int, share: float, seed: int = 3, days: int = 700) -> Days:
    """Everybody comes every 25 to 45 days, give or take three; each time with some chance she leaves two visits out."""
    chance = np.random.default_rng(seed)
    who, when = [], []
    for customer in range(customers):
        day, gap = float(chance.integers(0, days // 3)), float(chance.uniform(25, 45))
        while day <= days:
            who.append(customer)
            when.append(int(day))
            if chance.random() < 0.04:
                break
            day += max(float(chance.normal(gap, 3)), 1.0) + (2.5 * gap if chance.random() < share else 0.0)
    dates = np.datetime64(END, "D") - (days - np.array(when)) * np.timedelta64(1, "D")
    return Days.from_days(np.array(who), dates, np.full(len(who), 30.0), observation_end=END)


def test_who_now_and_then_leaves_visits_out_keeps_time_loosely() -> None:
    """A strict rhythm is sure that whoever missed her day is gone; some of them come all the same."""
    days = skipping(1500, 0.12)
    kept = fit(days.known_at(days.end - 60), horizon_days=60)
    assert kept.rhythm.k > 1
    assert kept.rhythm.loose > 0
    names = ["BG/CNBD-k", "MBG/CNBD-k", "BG/NBD", "MBG/NBD", "Pareto/NBD"]
    assert [model.name for model in kept.models.models] == names
    assert kept.models.weights.sum() == pytest.approx(1)
    assert any("kept loosely" in note for note in kept.notes)
    again = Fitted.from_json(kept.to_json())
    assert again.rhythm == kept.rhythm
    window = days.until(days.end - 60)
    known, came = window.summary(), window.outcome(60)[0] > 0
    strict = Blend.fitted(known, Rhythm(kept.rhythm.k)).ask(known, 60)[1]
    late = (known.T - known.t_x > 45) & (known.T - known.t_x < 120) & (known.x > 1)
    said = kept.ask(known)["p_active"]
    assert np.array_equal(again.ask(known)["p_active"], said)
    assert ((said - came)[late] ** 2).mean() < ((strict - came)[late] ** 2).mean() * 0.9


def test_where_they_come_by_chance_nothing_is_tried() -> None:
    assert regularity(shop(1200, k=1)) < 1.5
    assert learned(shop(1200, k=1), 60) == Rhythm()
    assert learned(shop(100, k=5), 60) == Rhythm(), "too few to know"
    assert regularity(shop(20, k=5)) == 1.0


def test_a_number_of_ticks_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="k is a whole number"):
        BGCNBD(k=0, **VALUES)
