"""The formulas that are shown give what the engine says: each is computed here as it is written."""

import datetime as dt
import math
import re

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import beta as beta_function
from scipy.special import gamma

from changke.engine.affinity.lines import Lines
from changke.engine.affinity.parts import PARTS, Shop
from changke.engine.affinity.shipped import SHIPPED
from changke.engine.affinity.weights import Weights
from changke.engine.clv import BGNBD, MBGNBD, ParetoNBD
from changke.engine.clv.regular import BGCNBD, MBGCNBD
from changke.engine.clv.robust_spend import RobustSpend
from changke.engine.clv.summary import Summary
from changke.engine.prediction.fitted import Fitted
from changke.engine.prediction.margins import Margins
from changke.engine.prediction.models import Blend
from changke.interfaces import formulas
from changke.profiles.value.models import ValueRules

COIN = {"r": 0.8, "alpha": 40.0, "a": 0.9, "b": 2.3}
LEFT = {"r": 0.8, "alpha": 40.0, "s": 0.7, "beta": 60.0}
CUSTOMERS = [(0, 0.0, 120.0), (1, 30.0, 200.0), (4, 180.0, 200.0)]
H = 90.0


def said(model: object, x: int, t: float, now: float) -> float:
    return float(model.p_active(H, np.array([x]), np.array([t]), np.array([now]))[0])  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", [BGNBD(**COIN), MBGNBD(**COIN)], ids=lambda one: one.name)
@pytest.mark.parametrize(("x", "t", "now"), CUSTOMERS)
def test_of_coins(model: BGNBD | MBGNBD, x: int, t: float, now: float) -> None:
    told = " ".join(formulas.of_model(model))
    coins = x + 1 if "b+(x+1)−1" in told else x
    gone = COIN["a"] / (COIN["b"] + coins - 1) * ((COIN["alpha"] + now) / (COIN["alpha"] + t)) ** (COIN["r"] + x)
    here = 1.0 if "1 where x = 0" in told and x == 0 else 1 / (1 + gone)
    buys = here * (1 - ((COIN["alpha"] + now) / (COIN["alpha"] + now + H)) ** (COIN["r"] + x))
    assert said(model, x, t, now) == pytest.approx(buys, rel=1e-9)


@pytest.mark.parametrize(("x", "t", "now"), CUSTOMERS)
def test_of_whoever_may_leave_at_any_moment(x: int, t: float, now: float) -> None:
    r, alpha, s, beta = LEFT.values()

    def f(u: float, v: float) -> float:
        return float(s * quad(lambda y: (alpha + y) ** -(r + x) * (beta + y) ** -(s + 1), u, v)[0])

    def g(u: float) -> float:
        return float((alpha + u) ** -(r + x) * (beta + u) ** -s)

    buys = g(now) / (g(now) + f(t, now)) * (1 - (g(now + H) + f(now, now + H)) / g(now))
    assert said(ParetoNBD(**LEFT), x, t, now) == pytest.approx(buys, rel=1e-6)


@pytest.mark.parametrize("model", [BGCNBD(k=2, **COIN), MBGCNBD(k=3, **COIN)], ids=lambda one: one.name)
@pytest.mark.parametrize(("x", "t", "now"), CUSTOMERS)
def test_of_whoever_comes_by_the_clock(model: BGCNBD | MBGCNBD, x: int, t: float, now: float) -> None:
    r, alpha, a, b = COIN.values()
    told = " ".join(formulas.of_model(model))
    k, coins = model.k, x + 1 if "b+(x+1)" in told else x

    def w(until: float) -> float:
        return float(sum(
            gamma(r + k * x + j) / math.factorial(j) * (until - t) ** j / (alpha + until) ** (r + k * x + j)
            for j in range(k)
        ))  # fmt: skip

    here = 1.0
    if coins:
        gone = (
            beta_function(a + 1, b + coins - 1)
            / beta_function(a, b + coins)
            * gamma(r + k * x)
            / (alpha + t) ** (r + k * x)
        )
        here = w(now) / (w(now) + gone)
    assert said(model, x, t, now) == pytest.approx(here * (1 - w(now + H) / w(now)), rel=1e-9)


def test_of_weights_every_part_has_its_number() -> None:
    line, *told = formulas.of_weights(Weights.from_dict(SHIPPED))
    assert all(f"· {part}" in line for part in SHIPPED["parts"])
    said = " ".join(told)
    missing = [part for part in SHIPPED["parts"] if not re.search(re.sub(r"_\d+$", "_[hd]", part) + " =", said)]
    assert not missing, "each is said what it is of"


def test_of_a_proposal_the_parts_are_what_is_told() -> None:
    """One customer, three items: each part recomputed from the words, against the engine."""
    days = {"customer_id": [1, 1, 1, 2, 2], "item_id": [7, 7, 8, 7, 9],
            "date": [np.datetime64("2026-01-01") + day for day in (0, 30, 30, 40, 40)]}  # fmt: skip
    lines = Lines.read(days, observation_end="2026-02-20")
    shop = Shop(lines)
    found = shop.candidates(np.array([0]))
    parts = {
        item: dict(zip(PARTS, row, strict=True))
        for item, row in zip(lines.items[found.item].tolist(), found.parts.tolist(), strict=True)
    }
    cycle = float(shop.cycle_days[0])
    ago, first = 20, 50
    said = {
        "had": 1, "times": math.log(3), "share": 2 / 2, "share_by_baskets": 1 * math.log(2), "in_last_basket": 1,
        "since": math.log(1 + ago), "faded_30": 2 ** (-ago / 30) + 2 ** (-first / 30),
        "early": min(math.log((1 + ago) / cycle), 0), "late": max(math.log((1 + ago) / cycle), 0),
        "sold_30": math.log(1 + 2), "sold_14": math.log(1 + 1), "had_and_sold_now": math.log(1 + 2),
        "goes_with_last": math.log(1 / (math.sqrt(3 * 1) + 20) + 0.05),
        "goes_with_lately": math.log(2 ** (-ago / 90) / (math.sqrt(3 * 1) + 20) + 0.05),
    }  # fmt: skip
    assert {name: parts[7][name] for name in said} == pytest.approx(said)
    assert parts[9]["alike_30"] == pytest.approx(math.log(30 * 2 ** (-10 / 30) + 0.001))
    assert (parts[9]["since"], parts[9]["early"], parts[9]["had_and_sold_now"]) == (0, 0, 0)


def test_of_the_warnings_the_chance_is_the_one_that_is_expected_everywhere() -> None:
    learned = Fitted(dt.date(2026, 6, 30), 90, 1, 5, Blend((BGNBD(**COIN),)), busy=1.1, spend=None, level=1.0)
    told = formulas.of_warnings(learned)
    assert "h = 90 · 1.1" in told
    assert set(formulas.of_outlook(learned)) <= set(told)


def test_of_worth_the_formula_gives_what_the_engine_says() -> None:
    model, spend = BGNBD(**COIN), RobustSpend(level=1.0, centre=4.5, within=0.2, between=0.3)
    known = Summary(*(np.array([one]) for one in (7, 4.0, 180.0, 200.0, 120.0, 600.0, 5.0, 23.9, 114.5)))
    learned = Fitted(dt.date(2026, 6, 30), 90, 1, 5, Blend((model,)), busy=1.0, spend=spend, level=1.1)

    def days(until: float) -> float:
        return float(model.expected_purchases(until, known.x, known.t_x, known.T)[0])

    quarter = sum(
        (days(365 * q / 4) - days(365 * (q - 1) / 4)) * 1.08 ** -(365 * (2 * q - 1) / 8 / 365.25) for q in range(1, 5)
    )
    later = sum((days(365 * y) - days(365 * (y - 1))) * 1.08 ** -(365 * (2 * y - 1) / 2 / 365.25) for y in (2, 3))
    brings = 0.4 * float(spend.expected_spend(known)[0]) * 1.1
    year, worth = learned.worths(known, margin=0.4, discount_per_year=0.08, lengths=(365, 3 * 365))
    assert year == pytest.approx(brings * quarter)
    assert worth == pytest.approx(brings * (quarter + later))
    told = formulas.of_worth(learned, ValueRules(margin_percent=40, discount_percent=8, worth_years=3), Margins())
    assert "stays = 0.4" in told
    assert "Σ y=2…3" in told[-1]


@pytest.mark.parametrize(
    ("percent", "margins", "told"),
    [
        (None, Margins(), "stays = 1: what stays"),
        (40, Margins(), "stays = 0.4"),
        (
            40,
            Margins(0.5, 0.9, 123_400.0),
            "stays = (her profit + 1234 · 0.4) / (her",
        ),
        (None, Margins(0.5, 0.9, 123_400.0), "stays = (her profit + 1234 · 0.5) / (her"),
        (None, Margins(0.5, 0.3, 123_400.0), "stays = 1: what stays"),
    ],
)
def test_of_what_stays(percent: int | None, margins: Margins, told: str) -> None:
    assert formulas._stays(ValueRules(margin_percent=percent), margins)[0].startswith(told)
