"""How many customers are needed; the table's rates are those of Fleiss, Levin, Paik (2003) without correction."""

import numpy as np
import pytest

from changke.engine.experiments import (
    Moments,
    NotFinite,
    Size,
    customers_needed,
    customers_needed_for_rates,
    lift,
    smallest_effect,
)
from changke.engine.experiments.size import NotAPlan


@pytest.mark.parametrize(
    ("rate", "effect", "each"),
    [(0.10, 0.02, 3_839), (0.10, -0.02, 3_210), (0.5, 0.1, 385), (0.05, 0.01, 8_156)],
)
def test_customers_needed_for_a_rate(rate: float, effect: float, each: int) -> None:
    found = customers_needed_for_rates(rate=rate, effect=effect)
    assert (found.control, found.treated) == pytest.approx((each, each), abs=2)


def test_customers_needed_for_money() -> None:
    assert customers_needed(effect=500, deviation=10_000) == Size(6_280, 6_280)  # 16 (s/d)^2, a little less
    small_control = customers_needed(effect=500, deviation=10_000, control_bp=1_000)
    assert small_control.control == pytest.approx(0.1 * small_control.both, abs=1)
    assert small_control.both > 2 * 6_280


def test_size_and_smallest_effect_are_each_others_inverse() -> None:
    need = customers_needed(effect=321, deviation=7_000, power=0.9)
    back = smallest_effect(control=need.control, treated=need.treated, deviation=7_000, power=0.9)
    assert back == pytest.approx(321, rel=1e-3)


def test_the_power_promised_is_the_power_had() -> None:
    need = customers_needed(effect=600, deviation=3_000)
    draw, found = np.random.default_rng(5), 0
    for _ in range(600):
        arms = [Moments.of(draw.normal(mean, 3_000, need.control).round()) for mean in (9_000, 9_600)]
        found += lift(arms[0], arms[1]).per_customer.low > 0
    assert found / 600 == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize(
    "plan",
    [
        {"effect": 0, "deviation": 1},
        {"effect": 1, "deviation": 0},
        {"effect": 1, "deviation": 1, "control_bp": 0},
        {"effect": 1, "deviation": 1, "power": 1.0},
        {"effect": 1, "deviation": 1, "alpha": 0.0},
    ],
)
def test_a_plan_without_an_answer_is_refused(plan: dict[str, float]) -> None:
    with pytest.raises(NotAPlan):
        customers_needed(**plan)  # type: ignore[arg-type]


def test_rates_stay_between_nobody_and_everybody() -> None:
    with pytest.raises(NotAPlan):
        customers_needed_for_rates(rate=0.95, effect=0.1)
    with pytest.raises(NotAPlan):
        smallest_effect(control=0, treated=5, deviation=1)


def test_a_plan_is_finite() -> None:
    with pytest.raises(NotFinite):
        customers_needed(effect=float("nan"), deviation=1)
