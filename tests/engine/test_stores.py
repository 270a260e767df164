"""Stores have models of their own where the past was met better by them, and nowhere else."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pandas
import pytest

from changke.engine import outlook
from changke.engine.engines.frames import UnreadableFrame
from changke.engine.prediction.coming import Coming
from changke.engine.prediction.days import Days
from changke.engine.prediction.fitted import Fitted, fit
from changke.engine.prediction.known import Known
from changke.engine.prediction.stores import NOWHERE, Stores

END = dt.date(2026, 6, 30)
SPAN, AHEAD = 600, 90
EPOCH = dt.date(1970, 1, 1)
BRISK, SLOW = (2.0, 0.04), (0.7, 0.3)
"""How many times as fast customers come as usual, and the share that leaves after each purchase."""


def chain(*stores: tuple[int, tuple[float, float]], seed: int = 5) -> Days:
    """Stores 1, 2 ... with so many customers of such a law; everything until END."""
    chance = np.random.default_rng(seed)
    who, when, store = [], [], []
    for number, (customers, (pace, leave)) in enumerate(stores, 1):
        for _ in range(customers):
            day, gap = float(chance.integers(0, SPAN)), (float(chance.gamma(1.5, 30)) + 2) / pace
            while day <= SPAN:
                who.append(len(store))
                when.append(int(day))
                if chance.random() < leave:
                    break
                day += float(chance.exponential(gap)) + 1
            store.append(number)
    dates = np.datetime64(END, "D") - (SPAN - np.array(when)) * np.timedelta64(1, "D")
    paid = chance.lognormal(3, 0.5, len(who)).round(2)
    return replace(Days.from_days(np.array(who), dates, paid, observation_end=END), store=np.array(store))


@pytest.fixture(scope="module")
def differing() -> Days:
    return chain((300, BRISK), (300, SLOW), (300, BRISK), (300, SLOW), (25, BRISK), (5, SLOW))


@pytest.fixture(scope="module")
def learned(differing: Days) -> Fitted:
    """Of what was known 90 days before the end."""
    return fit(differing.known_at(differing.end - AHEAD), horizon_days=AHEAD)


def test_stores_that_are_alike_change_nothing() -> None:
    days = chain(*[(150, (1.0, 0.12))] * 5)
    said, plain = fit(days, horizon_days=60), fit(replace(days, store=None), horizon_days=60)
    assert said.why_stores.startswith("stores: alike")
    assert replace(said, why_stores="").to_json() == plain.to_json()
    assert plain.why_stores == ""


def test_stores_that_differ_are_met_better(differing: Days, learned: Fitted) -> None:
    assert [one.store for one in learned.stores.own] == [1, 2, 3, 4, 5], "five customers are too few"
    assert any(note == learned.why_stores and "models of their own" in note for note in learned.notes)
    window = differing.until(differing.end - AHEAD)
    known, came = window.summary(), window.outcome(AHEAD)[0]
    theirs, alone = (one.ask(known) for one in (learned, replace(learned, stores=Stores())))
    for column, true in (("expected_purchases", came), ("p_active", (came > 0).astype(float))):
        before, now = (float(((said[column] - true) ** 2).mean()) for said in (alone, theirs))
        assert now < 0.97 * before
    assert theirs["expected_purchases"].sum() == pytest.approx(came.sum(), rel=0.12)


def test_a_warning_asks_the_models_of_her_store(learned: Fitted, differing: Days) -> None:
    """One customer has one chance, purse and season in it; and so has a day of her silence."""
    known = differing.until(differing.end - AHEAD).summary()
    later = replace(known, T=known.T + 10)
    coming = Coming.of(learned, known)
    for when in (known, later):
        told = coming.p_active(AHEAD, when.x, when.t_x, when.T)
        assert np.allclose(told, learned.ask(when)["p_active"], atol=1e-12)
    some = np.array([1, 400, 700])
    few = coming.some(some).p_active(AHEAD, known.x[some], known.t_x[some], known.T[some])
    assert np.allclose(few, coming.p_active(AHEAD, known.x, known.t_x, known.T)[some])
    alone = Coming.of(replace(learned, stores=Stores()), known).p_active(AHEAD, known.x, known.t_x, known.T)
    assert np.abs(alone - coming.p_active(AHEAD, known.x, known.t_x, known.T)).max() > 0.05


def test_a_store_with_few_customers_is_nearly_the_chain(learned: Fitted, differing: Days) -> None:
    known = differing.until(differing.end - AHEAD).summary()
    drawn = Stores.fitted(learned.models, known, 300.0)
    far = {}
    for store in (1, 3, 5):
        said = drawn.ask(learned.models, replace(known, store=np.full(len(known), store)), AHEAD)[1]
        far[store] = float(np.abs(said - learned.models.ask(known, AHEAD)[1]).mean())
    assert 0 < far[5] < 0.6 * min(far[1], far[3]), "of the same law, with 25 customers for 300"


def test_who_belongs_to_no_store_or_to_a_new_one_is_asked_of_the_chain(learned: Fitted, differing: Days) -> None:
    known = differing.until(differing.end - AHEAD).summary()
    strangers = replace(known, store=np.where(np.arange(len(known)) % 2, NOWHERE, 77))
    chain_alone = replace(learned, stores=Stores())
    for ask in (lambda one, of: one.ask(of), lambda one, of: one.worth_between(of, margin=0.4, discount_per_year=0.1)):
        said, alone = ask(learned, strangers), ask(chain_alone, known)
        for name in said:
            assert np.array_equal(said[name], alone[name])
    assert np.array_equal(learned.ask(replace(known, store=None))["p_active"], chain_alone.ask(known)["p_active"])


def test_each_customer_is_asked_as_if_she_were_alone(learned: Fitted, differing: Days) -> None:
    known = differing.until(differing.end - AHEAD).summary()
    assert learned.ask(known.some(slice(0, 0))).rows == 0
    together = learned.ask(known)
    worth = learned.worth(known, margin=1.0, discount_per_year=0.1)
    for at in (0, 400, 700, len(known) - 1):
        one = known.some(slice(at, at + 1))
        assert learned.ask(one)["p_active"][0] == together["p_active"][at]
        assert learned.worth(one, margin=1.0, discount_per_year=0.1)[0] == pytest.approx(worth[at], rel=1e-12)


def test_it_is_kept_as_text_and_fits_of_before_are_read(learned: Fitted, differing: Days) -> None:
    text = learned.to_json()
    again = Fitted.from_json(text)
    assert again.to_json() == text
    known = differing.until(differing.end).summary()
    assert np.array_equal(again.ask(known)["expected_purchases"], learned.ask(known)["expected_purchases"])
    before = {name: part for name, part in json.loads(text).items() if "stores" not in name}
    assert Fitted.from_json(json.dumps(before)).stores == Stores()


def test_what_is_known_of_a_customer_has_her_store(differing: Days) -> None:
    bought = {"customer_id": differing.customers[:1], "profit": np.zeros(1), "profit_of": np.zeros(1)}
    known = Known.of(differing, bought)
    again = Known.from_columns(known.columns())
    assert again.summary.store is not None
    assert np.array_equal(again.summary.store, differing.store)
    assert np.array_equal(again.some(slice(3, 5)).columns()["home_store_id"], differing.store[3:5])


@pytest.mark.parametrize(
    ("stores", "why"),
    [
        ([(200, BRISK), (200, SLOW)], "too few customers or days"),
        ([(600, BRISK)], "fewer than two"),
        ([(600, BRISK), (10, SLOW)], "fewer than two"),
    ],
)
def test_too_little_to_tell_stores_apart(stores: list[Any], why: str) -> None:
    said = fit(chain(*stores), horizon_days=AHEAD)
    assert why in said.why_stores
    assert said.stores.own == ()


def test_a_column_names_the_store(differing: Days) -> None:
    rows: dict[str, Any] = {
        "who": differing.who, "date": differing.day.astype("datetime64[D]").astype("datetime64[us]"),
        "amount": differing.paid, "place": np.array(["", "brisk", "slow", "b2", "s2", "kiosk", "tiny"])[
            differing.store[differing.who]
        ],
    }  # fmt: skip
    cut = EPOCH + dt.timedelta(days=differing.end - AHEAD)
    named = {"observation_end": cut, "horizon_days": AHEAD, "customer_id": "who", "boosting": False}
    said, plain = outlook(rows, **named, store="place"), outlook(rows, **named)
    assert any(note.startswith("stores: models of their own") for note in said.notes)
    assert not any(note.startswith("stores:") for note in plain.notes)
    known = differing.known_at(differing.end - AHEAD)
    expected = fit(known, horizon_days=AHEAD).ask(known.until(known.end).summary())
    assert said["p_active"] == pytest.approx(expected["p_active"], rel=1e-9), "by name or by number"
    with pytest.raises(UnreadableFrame):
        outlook(rows, **named, store="shop")


def test_she_belongs_to_the_store_of_her_first_row_that_names_one() -> None:
    rows = [
        (1, "2026-01-05", "late"), (1, "2026-01-01", "early"),
        (2, "2026-01-03", "B"), (2, "2026-01-03", "A"), (2, "2026-01-01", None),
        (3, "2026-01-02", None), (3, "2026-07-02", "after the end"),
    ]  # fmt: skip
    who, day, store = zip(*rows, strict=True)
    frame = pandas.DataFrame({"customer_id": who, "date": pandas.to_datetime(list(day)), "store": store})
    for given in (frame, duckdb.from_df(frame)):
        days = Days.of(given, observation_end=END, store="store")
        assert days.store is not None
        assert days.store.tolist() == ["early", "A", ""]
        assert Days.of(given, observation_end=END).store is None
