"""Where few days bring most of the money, intervals of money still hold what they promise."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from changke.engine.clv.sums import ALWAYS, HEAVY, NEVER, between_money, place_of
from changke.engine.prediction.days import Days
from changke.engine.prediction.fitted import Fitted, fit
from changke.engine.prediction.intervals import MoneyAround, Widths, learned_of_money

END = dt.date(2026, 6, 30)


@pytest.mark.parametrize(
    ("scatter", "heavy", "low", "high"),
    [
        # variance in squares of the mean; edges in means: the table of docs/algorithms/outlook.md, 6
        (0.0, NEVER, 1.0, 1.0),
        (0.0, ALWAYS, 1.0, 1.0),
        (0.5, NEVER, 0.27, 1.94),
        (0.5, ALWAYS, 0.36, 1.85),
        (2.0, HEAVY, 0.02, 2.71),  # no more than twice is still a gamma
        (2.0, ALWAYS, 0.15, 2.21),
        (16.0, HEAVY, 0.03, 2.10),
        (16.0, ALWAYS, 0.03, 2.10),
        (16.0, NEVER, 0.00, 1.96),
    ],
)
def test_the_edges_of_a_sum_follow_its_law(scatter: float, heavy: float, low: float, high: float) -> None:
    one = np.ones(1)
    found = between_money(one, one * 300, one * 300**2 * (1 + scatter), one * 0.8, heavy)
    assert [float(edge[0]) / 300 for edge in found] == pytest.approx([low, high], abs=0.006)


@pytest.mark.parametrize("heavy", [NEVER, HEAVY, ALWAYS])
def test_what_lies_at_the_edges_has_their_place(heavy: float) -> None:
    scatter = np.array([0.1, 1.0, 1.9, 2.1, 30.0]) * 50.0**2
    came, given = np.ones(5), np.full(5, 50.0)
    for edge in between_money(came, given, scatter + given**2, np.full(5, 0.8), heavy):
        place = place_of(edge, given, scatter, heavy)
        assert np.minimum(place, 1 - place) == pytest.approx(0.1, abs=1e-6)


def test_nothing_and_very_much_have_finite_edges() -> None:
    came = np.array([0.0, 1.0, 1e-300, 1.0, 0.5])
    mean = np.array([0.0, 0.0, 0.0, 1e12, 1e-9])
    second = np.array([0.0, 0.0, 0.0, 1e30, 1e-3])
    for heavy in (NEVER, HEAVY, ALWAYS):
        for edge in between_money(came, mean, second, np.full(5, 0.8), heavy):
            assert np.isfinite(edge).all()
            assert (edge >= 0).all()


def drawn(law: str, customers: int, seed: int) -> tuple[np.ndarray, ...]:
    """Chance to come, mean and mean square of what she spends, and what she spent."""
    chance = np.random.default_rng(seed)
    active, size = chance.uniform(0.3, 1.0, customers), chance.uniform(50, 500, customers)
    if law == "gamma":
        sums, square = chance.gamma(0.7, size / 0.7), size**2 * (1 + 1 / 0.7)
    else:
        sums, square = size * np.exp(chance.normal(-0.5, 1.0, customers)), size**2 * np.exp(1.0)
    brought = np.where(chance.random(customers) < active, sums, 0.0)
    return active, active * size, active * square, brought


@pytest.mark.parametrize(("law", "heavy"), [("gamma", HEAVY), ("log-normal", ALWAYS)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_past_says_which_law_it_is(law: str, heavy: float, seed: int) -> None:
    active, mean, second, brought = drawn(law, 3000, seed)
    found = learned_of_money(active, active, mean, second, brought)
    assert found.heavy == heavy
    assert found.widths.asked == pytest.approx((0.8, 0.8, 0.8), abs=0.05)


@pytest.mark.parametrize(
    ("customers", "asked"),
    [
        (9, 0.80),  # three in a third say next to nothing
        (600, 0.84),  # 200 in a third: half of the way, in deviations
        (60_000, 0.875),  # all of it would be 0.876: sums lie a fifth further around the mean than was said
    ],
)
def test_widths_are_believed_as_far_as_they_were_seen(customers: int, asked: float) -> None:
    chance, one = np.random.default_rng(4), np.ones(customers)
    brought, mean = chance.normal(300.0, 36.0, customers), one * 300.0
    days = chance.uniform(1.0, 2.0, customers)
    around = learned_of_money(days, one, mean, mean**2 + 30.0**2, brought)
    assert np.mean(around.widths.asked) == pytest.approx(asked, abs=0.012)


def by_chance(customers: int, deviation: float) -> Days:
    """Everybody comes now and then, and one day in twenty brings most of the money."""
    chance, days = np.random.default_rng(7), 900
    times = chance.poisson(0.006 * days * chance.gamma(2.0, 0.5, customers)) + 1
    who = np.repeat(np.arange(customers), times)
    ago = chance.integers(0, days, len(who))
    paid = np.round(100 * np.exp(chance.normal(0, deviation, len(who))), 2) + 0.01
    return Days.from_days(who, np.datetime64(END, "D") - ago * np.timedelta64(1, "D"), paid, observation_end=END)


@pytest.mark.parametrize("deviation", [0.4, 1.7])
def test_four_of_five_sums_lie_inside_whatever_the_tail(deviation: float) -> None:
    days = by_chance(900, deviation)
    cut = days.end - 180
    kept, window = fit(days.known_at(cut), horizon_days=180), days.until(cut)
    known, (_, brought) = window.summary(), window.outcome(180)

    def held(one: Fitted) -> float:
        said = one.ask(known)
        return float(np.mean((brought >= said["spend_low"]) & (brought <= said["spend_high"])))

    assert held(kept) == pytest.approx(0.8, abs=0.05)
    gamma = held(replace(kept, money=MoneyAround(NEVER)))
    assert (gamma < 0.7) == (deviation > 1)


def test_what_is_kept_of_money_is_read_again_and_what_was_kept_before_it_has_the_widths_of_days() -> None:
    kept = fit(by_chance(500, 1.7), horizon_days=90)
    text = kept.to_json()
    assert Fitted.from_json(text).money == kept.money
    assert kept.money.widths != Widths()
    before = json.loads(text)
    del before["money"]
    assert Fitted.from_json(json.dumps(before)).money == MoneyAround(widths=kept.widths)
