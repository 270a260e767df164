"""Four of five lie inside: what a day brings, what her days bring in the mean, what a year brings."""

import datetime as dt

import numpy as np
import pytest

from changke.engine import outlook
from changke.engine.clv import BGNBD, GammaGamma, RobustSpend, Summary, discounted_value, value_between
from changke.engine.prediction.days import Days
from changke.engine.prediction.fitted import fit
from changke.engine.refusals import NotASetting
from tests.engine.clv.test_spend import shop as spending
from tests.engine.test_outlook import shop

MARGIN = {"margin": 0.4, "discount_per_year": 0.1}


def paid(customers: int, seed: int) -> tuple[Summary, np.ndarray, np.ndarray]:
    """A summary of days drawn as Gamma-Gamma has it, the mean of each customer and one further day."""
    chance = np.random.default_rng(seed)
    rate = chance.gamma(4.0, 1 / 16.0, customers)
    x = chance.integers(0, 6, customers)
    days = [chance.gamma(6.0, 1 / nu, count + 1) for nu, count in zip(rate, x, strict=True)]
    return spending([list(one) for one in days]), 6.0 / rate, chance.gamma(6.0, 1 / rate)


@pytest.mark.parametrize("interval", [0.5, 0.8, 0.95])
def test_gamma_gamma_is_right_about_the_mean_and_about_the_next_day(interval: float) -> None:
    known, means, days = paid(6000, 1)
    model = GammaGamma(p=6.0, q=4.0, gamma=16.0)
    for truth, of in ((means, "mean"), (days, "day")):
        low, high = model.spend_between(known, interval=interval, of=of)
        assert ((truth >= low) & (truth <= high)).mean() == pytest.approx(interval, abs=0.02), of
        assert (truth < low).mean() == pytest.approx((1 - interval) / 2, abs=0.015), of


def test_robust_spend_is_right_where_days_are_lognormal() -> None:
    chance = np.random.default_rng(2)
    own = 3 + 0.5 * chance.normal(size=5000)
    amounts = [list(np.exp(one + 0.4 * chance.normal(size=int(chance.integers(1, 8))))) for one in own]
    known = spending(amounts)
    model = RobustSpend().fit(known)
    truths = {"mean": np.exp(own + 0.4**2 / 2), "day": np.exp(own + 0.4 * chance.normal(size=5000))}
    for of, truth in truths.items():
        low, high = model.spend_between(known, of=of)
        assert ((truth >= low) & (truth <= high)).mean() == pytest.approx(0.8, abs=0.06), of


@pytest.mark.parametrize("model", [GammaGamma, RobustSpend])
def test_the_mean_is_known_better_than_a_day_and_the_better_the_more_days(model: type[GammaGamma]) -> None:
    known = spending([[20.0, 25.0, 22.0, 18.0, 21.0] * 6, [20.0, 24.0], *[[15.0, 18.0], [30.0, 40.0, 33.0]] * 20])
    fitted = model().fit(known)
    (mean_low, mean_high), (low, high) = fitted.spend_between(known, of="mean"), fitted.spend_between(known)
    assert np.all((low < mean_low) & (mean_low < mean_high) & (mean_high < high))
    assert mean_high[0] - mean_low[0] < mean_high[1] - mean_low[1]
    with pytest.raises(NotASetting):
        fitted.spend_between(known, of="year")


def test_what_a_year_brings_lies_inside_four_times_in_five() -> None:
    rows = shop(1500, days=900)
    end = dt.date(2026, 6, 30)
    cut = end - dt.timedelta(days=365)
    days = Days.of(rows, observation_end=end)
    then = days.known_at(days.end - 365)
    fitted, known = fit(then, horizon_days=90), then.until(then.end).summary()
    said = fitted.worth_between(known, margin=1.0, discount_per_year=0.0)
    assert np.array_equal(said["worth"], fitted.worth(known, margin=1.0, discount_per_year=0.0))
    money = days.until(days.end - 365).outcome(365)[1]
    inside = (money >= said["worth_low"] - 1e-9) & (money <= said["worth_high"] + 1e-9)
    assert inside[said["worth_high"] > 0].mean() == pytest.approx(0.8, abs=0.07), cut
    assert np.all((said["worth_low"] <= said["worth"]) | (said["worth"] == 0))
    dear = fitted.worth_between(known, margin=0.5, discount_per_year=0.2)
    assert np.all(dear["worth_high"] <= 0.5 * said["worth_high"] + 1e-9)


def test_the_value_of_two_models_has_an_interval_too() -> None:
    data = {"x": [0, 3, 9], "t_x": [0, 60, 300], "T": [90, 90, 310], "monetary": [0.0, 20.0, 30.0]}
    models = (BGNBD(r=0.5, alpha=30.0, a=0.6, b=2.4), GammaGamma(p=6.0, q=4.0, gamma=15.0))
    said = value_between(*models, data, horizon_days=365, **MARGIN)
    assert np.array_equal(said["value"], discounted_value(*models, data, horizon_days=365, **MARGIN))
    assert np.all(said["value_low"] <= said["value"])
    assert np.all(said["value"] <= said["value_high"])
    narrow = value_between(*models, data, horizon_days=365, interval=0.3, **MARGIN)
    assert np.all(narrow["value_high"] < said["value_high"])


@pytest.mark.parametrize("boosting", [False, True])
def test_the_outlook_lies_between_what_its_parts_say(boosting: bool) -> None:
    said = outlook(shop(700), observation_end="2026-06-30", horizon_days=60, boosting=boosting)
    assert np.all(said["p_active_low"] <= said["p_active"] + 1e-12)
    assert np.all(said["p_active"] <= said["p_active_high"] + 1e-12)
    assert (said["p_active_high"] - said["p_active_low"]).max() > 0.01
