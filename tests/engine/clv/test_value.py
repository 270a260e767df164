"""Pooling of stores, and the value of a customer."""

import numpy as np
import pytest

from changke.engine.clv import BGNBD, RobustSpend, Summary, discounted_value, fit_pooled


def store(customers: int, gap: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    x, t_x, T = np.zeros(customers), np.zeros(customers), chance.integers(100, 500, customers).astype(float)
    for i in range(customers):
        rate, leaving, day = chance.gamma(1.0, 1 / gap), chance.beta(0.8, 2.5), 0.0
        while (day := day + chance.exponential(1 / max(rate, 1e-6))) < T[i]:
            x[i], t_x[i] = x[i] + 1, np.floor(day)
            if chance.random() < leaving:
                break
    return x, t_x, T


def test_a_small_store_is_drawn_to_the_chain_and_a_large_one_is_itself() -> None:
    parts = [store(2500, 25, 1), store(2500, 90, 2), store(15, 25, 3)]
    x, t_x, T = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    groups = np.repeat([1, 2, 3], [2500, 2500, 15])
    pooled = fit_pooled(BGNBD, {"x": x, "t_x": t_x, "T": T}, groups)
    fast, slow = (pooled.groups[name].expected_purchases(90, [3], [80], [100])[0] for name in (1, 2))
    chain, small = (model.expected_purchases(90, [3], [80], [100])[0] for model in (pooled.chain, pooled.groups[3]))
    assert slow < chain < fast
    alone = BGNBD().fit(x=parts[0][0], t_x=parts[0][1], T=parts[0][2])
    assert fast == pytest.approx(alone.expected_purchases(90, [3], [80], [100])[0], rel=0.05)
    assert small == pytest.approx(chain, rel=0.5)


def test_a_store_with_nobody_who_came_back_has_an_answer() -> None:
    x, t_x, T = (np.append(column, [0.0]) for column in store(300, 30, 1))
    pooled = fit_pooled(BGNBD, {"x": x, "t_x": t_x, "T": T}, ["a"] * 300 + ["new"])
    assert pooled.groups["new"].values() == pytest.approx(pooled.chain.values(), rel=0.3)


def test_a_chain_with_nothing_to_say_is_everybodys() -> None:
    pooled = fit_pooled(BGNBD, {"x": [0, 0], "t_x": [0, 0], "T": [5, 6]}, ["a", "b"])
    assert pooled.groups["a"] is pooled.chain
    with pytest.raises(ValueError, match="one group for each row"):
        fit_pooled(BGNBD, {"x": [0, 0], "t_x": [0, 0], "T": [5, 6]}, ["a"])


def shop() -> Summary:
    two = np.array([2.0, 4.0])
    logs = (two + 1) * np.log(50.0)
    return Summary(
        np.array([1, 2]), two, np.array([50.0, 90.0]), np.array([80.0, 100.0]), np.array([50.0, 50.0]),
        (two + 1) * 50, two + 1, logs, logs * np.log(50.0),
    )  # fmt: skip


def test_without_discount_the_value_is_margin_times_purchases_times_money() -> None:
    model, spend = BGNBD(r=0.6, alpha=30.0, a=0.8, b=2.2), RobustSpend().fit(shop())
    worth = discounted_value(model, spend, shop(), horizon_days=365, margin=0.4, discount_per_year=0.0)
    days = model.expected_purchases(365, shop().x, shop().t_x, shop().T)
    assert np.allclose(worth, 0.4 * days * spend.expected_spend(shop()))
    less = discounted_value(model, spend, shop(), horizon_days=365, margin=0.4, discount_per_year=0.1)
    assert np.all((less < worth) & (less > worth / 1.1))
    assert not discounted_value(model, spend, shop(), horizon_days=0, margin=0.4, discount_per_year=0.1).any()


@pytest.mark.parametrize(("margin", "discount"), [(1.2, 0.1), (-0.1, 0.1), (0.5, -1.0), (0.5, np.nan)])
def test_a_margin_or_discount_that_is_none_is_refused(margin: float, discount: float) -> None:
    model, spend = BGNBD(r=0.6, alpha=30.0, a=0.8, b=2.2), RobustSpend().fit(shop())
    with pytest.raises(ValueError, match=r"margin|discount"):
        discounted_value(model, spend, shop(), horizon_days=9, margin=margin, discount_per_year=discount)
