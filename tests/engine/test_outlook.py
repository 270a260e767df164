"""The one default answer: what it says of a chain that never existed, and that it answers every shop."""

import datetime as dt
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from changke.engine import outlook
from changke.engine.clv import MixedCurrencies
from changke.engine.prediction import boost, past
from changke.engine.prediction.days import Days
from changke.engine.prediction.fitted import Fitted, fit
from changke.engine.prediction.holdout import holdout

END = dt.date(2026, 6, 30)


def shop(customers: int, seed: int = 3, days: int = 500) -> dict[str, Any]:
    """Some come often, some leave: rates and leaving of one's own, the first day anywhere."""
    chance = np.random.default_rng(seed)
    who, when = [], []
    for customer in range(customers):
        day, gap = float(chance.integers(0, days)), float(chance.gamma(1.5, 30)) + 2
        while day <= days:
            who.append(customer)
            when.append(int(day))
            if chance.random() < 0.12:
                break
            day += float(chance.exponential(gap)) + 1
    dates = np.datetime64(END, "us") - (days - np.array(when, int)) * np.timedelta64(1, "D")
    return {"customer_id": np.array(who, int), "date": dates, "amount": chance.lognormal(3, 0.5, len(who)).round(2)}


def test_it_is_right_about_what_comes() -> None:
    rows = shop(1500)
    cut = np.datetime64(END, "us") - np.timedelta64(90, "D")
    said = outlook(rows, observation_end=np.datetime64(cut, "D"), horizon_days=90, boosting=False)
    days = Days.of(rows, observation_end=END)
    came, money = days.until(days.end - 90).outcome(90)
    assert said.rows == len(came)
    assert past.area(came > 0, said["p_active"]) > 0.7
    assert said["p_active"].mean() == pytest.approx((came > 0).mean(), abs=0.06)
    assert said["expected_purchases"].sum() == pytest.approx(came.sum(), rel=0.2)
    assert said["expected_spend"].sum() == pytest.approx(money.sum(), rel=0.25)
    inside = (came >= said["purchases_low"]) & (came <= said["purchases_high"])
    assert inside.mean() < 0.9, "many stay away for certain: none alone holds more than 80 %"
    assert inside[said["purchases_high"] > 0].mean() == pytest.approx(0.8, abs=0.05)
    assert inside.mean() == pytest.approx(said["purchases_inside"].mean(), abs=0.05)
    paid = (money >= said["spend_low"] - 1e-9) & (money <= said["spend_high"] + 1e-9)
    assert paid[said["spend_high"] > 0].mean() == pytest.approx(0.8, abs=0.06)


def test_nothing_after_the_end_is_looked_at() -> None:
    rows = shop(300)
    early = rows["date"] <= np.datetime64("2026-03-01")
    cut = {name: column[early] for name, column in rows.items()}
    with_future = outlook(rows, observation_end="2026-03-01", horizon_days=60)
    without = outlook(cut, observation_end="2026-03-01", horizon_days=60)
    for name in without:
        assert np.array_equal(with_future[name], without[name])
    assert with_future.left_out["after_the_end"] == int((~early).sum())


@pytest.mark.skipif(not boost.installed(), reason="the extra boost is not installed")
def test_boosting_says_what_it_is_used_for() -> None:
    said = outlook(shop(900), observation_end=END, horizon_days=60)
    assert any("boosting is used for" in note for note in said.notes)
    assert np.isfinite(said["p_active"]).all()


def test_boosting_orders_and_the_models_say_how_likely() -> None:
    models, learned = np.array([0.1, 0.9, 0.4, 0.2]), np.array([0.8, 0.9, 0.1, 0.2])
    assert past.ranked(models, learned).tolist() == [0.4, 0.9, 0.2, 0.1]
    assert past.ranked(models[:0], learned[:0]).tolist() == []


@pytest.mark.skipif(not boost.installed(), reason="the extra boost is not installed")
def test_where_boosting_ranks_better_the_chances_are_those_of_the_models_in_another_order() -> None:
    rows = shop(700)
    said, alone = (outlook(rows, observation_end=END, horizon_days=60, boosting=one) for one in (True, False))
    assert any("boosting is used for: counts and ranks" in note for note in said.notes)
    assert not np.array_equal(said["p_active"], alone["p_active"])
    assert np.array_equal(np.sort(said["p_active"]), np.sort(alone["p_active"]))
    assert ((said["p_active_low"] <= said["p_active"]) & (said["p_active"] <= said["p_active_high"])).all()


def test_without_the_extra_the_models_answer_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boost, "installed", lambda: False)
    said = outlook(shop(600), observation_end=END, horizon_days=60)
    assert "models alone: install changke[boost] for boosting" in said.notes


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("v", "2026-06-30", 5)],
        [("v", "2026-06-30", 5)] * 10_000,
        [(f"c{i}", "2026-06-30", 5) for i in range(600)],
        [(f"c{i}", "2026-01-01", 5) for i in range(600)],
        [("v", "2026-06-01", 5), ("v", "2026-06-02", -50)],
        [("v", "2026-01-01", 5), ("w", "2026-05-01", 1e12), ("w", "2026-06-01", 3), (None, "2026-06-01", 3)],
    ],
)
@pytest.mark.parametrize("horizon", [0, 1, 90, 3000])
def test_every_shop_gets_an_answer(rows: list[tuple[str, str, float]], horizon: int) -> None:
    table = {
        "customer_id": np.array([r[0] for r in rows], object),
        "date": np.array([r[1] for r in rows], "datetime64[us]"),
        "amount": np.array([r[2] for r in rows], float),
    }
    said = outlook(table, observation_end=END, horizon_days=horizon)
    for name in said:
        if name != "customer_id":
            assert np.isfinite(said[name]).all(), name
            assert np.all(said[name] >= 0), name
    assert np.all(said["p_active"] <= 1)
    if horizon == 0:
        assert not said["expected_purchases"].any()
        assert not said["spend_high"].any()


def test_what_nobody_can_ask_is_refused() -> None:
    with pytest.raises(ValueError, match="horizon"):
        outlook(shop(5), observation_end=END, horizon_days=-1)
    with pytest.raises(MixedCurrencies):
        outlook(
            {**shop(5), "currency": np.array(["CNY", "HKD"] * 500)[: len(shop(5)["date"])]},
            observation_end=END,
            horizon_days=9,
        )


def test_the_engine_is_there_in_a_second_and_brings_neither_django_nor_scipy() -> None:
    code = "import sys, changke.engine; print({'django', 'scipy', 'lightgbm'} & {m.split('.')[0] for m in sys.modules})"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "set()"
    )


@pytest.mark.parametrize("name", ["outlook", "churn.backtest", "clv.BGNBD", "clv.summary", "clv.GammaGamma"])
def test_a_name_of_the_engine_brings_numpy_and_nothing_else(name: str) -> None:
    """Whoever reads a fit and asks it needs no database; what computes with one loads it when it does."""
    code = f"import sys, changke.engine; changke.engine.{name}; print(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"duckdb", "scipy", "sqlglot", "pyarrow", "polars", "pandas", "lightgbm", "django", "psycopg"}
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not heavy & loaded


def test_what_a_command_loads_at_its_start_brings_no_library_that_only_computing_needs() -> None:
    rooms = ("affinity.sparse", "churn", "clv.fitting", "experiments.distributions", "mirror", "prediction.fitted")
    code = f"import sys, {', '.join(f'changke.engine.{room}' for room in rooms)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"scipy.special", "scipy.optimize", "scipy.sparse", "adbc_driver_manager", "pyarrow", "polars", "pandas"}
    assert not heavy & set(done.stdout.split())


def test_what_is_kept_answers_as_the_outlook_did() -> None:
    rows = shop(700)
    said = outlook(rows, observation_end=END, horizon_days=60, boosting=False)
    days = Days.of(rows, observation_end=END)
    kept = Fitted.from_json(fit(days, horizon_days=60).to_json())
    known = days.until(days.end).summary()
    again = kept.ask(known)
    for name in said:
        assert np.array_equal(again[name], said[name]), name
    assert np.all((again["p_active_low"] <= again["p_active"]) & (again["p_active"] <= again["p_active_high"]))
    alone = kept.ask(days_of_one(days, 5).summary())
    assert alone["p_active"][0] == pytest.approx(again["p_active"][5], abs=1e-9)


def days_of_one(days: Days, place: int) -> Any:
    mine = days.who == place
    when = days.day[mine].astype("datetime64[D]")
    one = Days.from_days(np.repeat(days.customers[place], mine.sum()), when, days.paid[mine], observation_end=END)
    return one.until(one.end)


def test_the_report_card_is_made_from_a_past_that_was_kept_away() -> None:
    rows = shop(1500)
    days = Days.of(rows, observation_end=END)
    card = holdout(days, horizon_days=60)
    assert card is not None
    assert card.cut == END - dt.timedelta(days=60)
    assert card.customers == len(days.until(days.end - 60))
    assert card.auc > max(0.65, card.naive_auc)
    assert card.rmse < card.naive_rmse
    assert card.purchases_said == pytest.approx(card.purchases_came, rel=0.2)
    assert sum(band.customers for band in card.bands) == card.customers
    assert card.bands[0].said < card.bands[-1].said
    assert sum(third.customers for third in card.thirds) == card.customers
    assert card.inside == pytest.approx(np.mean([third.days_inside for third in card.thirds]), abs=0.01)
    assert card.thirds[0].width < card.thirds[-1].width
    assert card.thirds[0].none > card.thirds[-1].none
    shuffled = Days.from_days(
        days.customers[days.who], days.day.astype("datetime64[D]"), days.paid, observation_end=END
    )
    assert holdout(shuffled, horizon_days=60) == card


def test_a_short_past_or_a_few_customers_have_no_report_card() -> None:
    assert holdout(Days.of(shop(30), observation_end=END), horizon_days=60) is None
    assert holdout(Days.of(shop(200, days=20), observation_end=END), horizon_days=60) is None


@pytest.mark.parametrize(("margin", "discount"), [(1.5, 0.1), (-0.1, 0.1), (1.0, -1.0), (1.0, float("nan"))])
def test_a_margin_or_a_discount_of_no_shop_is_refused(margin: float, discount: float) -> None:
    days = Days.of(shop(50), observation_end=END)
    with pytest.raises(ValueError, match=r"margin|discount"):
        fit(days, horizon_days=60).worth(days.until(days.end).summary(), margin=margin, discount_per_year=discount)


def test_the_annual_value_is_money_of_a_year_less_what_waiting_costs() -> None:
    days = Days.of(shop(400), observation_end=END)
    kept, known = fit(days, horizon_days=365), days.until(days.end).summary()
    plain = kept.worth(known, margin=1.0, discount_per_year=0.0)
    assert np.allclose(plain * 0.4, kept.worth(known, margin=0.4, discount_per_year=0.0))
    later = kept.worth(known, margin=1.0, discount_per_year=0.1)
    assert np.all(later <= plain)
    assert later.sum() == pytest.approx(plain.sum() * 1.1**-0.5, rel=0.02)


def test_several_questions_at_once_get_the_digits_of_each_alone() -> None:
    days = Days.of(shop(300), observation_end=END)
    kept, known = fit(days, horizon_days=90), days.until(days.end).summary()
    columns = known.x, known.t_x, known.T
    for model in kept.models.models:
        about = model.about(*columns)
        for horizon in (0.0, 7.5, 90.0, 365.25):
            mean, variance = about.purchases(horizon)
            assert np.array_equal(about.p_active(horizon), model.p_active(horizon, *columns))
            assert np.array_equal(mean, model.expected_purchases(horizon, *columns))
            assert np.array_equal(mean, about.mean(horizon))
            assert np.array_equal(variance, model.variance_of_purchases(horizon, *columns))
    prepared = kept.about(known)
    alone, together = kept.ask(known), kept.ask(known, about=prepared)
    assert all(np.array_equal(alone[name], together[name]) for name in alone)
    worth = {"margin": 0.5, "discount_per_year": 0.1}
    assert np.array_equal(kept.worth(known, **worth), kept.worth(known, **worth, about=prepared))
