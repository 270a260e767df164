"""What a purchase day brings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changke.engine.clv import GammaGamma, RobustSpend, Summary
from changke.engine.clv.gamma_gamma import _likelihood
from changke.engine.clv.spend import SpendModel

each_model = pytest.mark.parametrize("model", [GammaGamma, RobustSpend])


def shop(amounts: list[list[float]]) -> Summary:
    """Customers by what each of their days brought."""
    days = [np.array(of_one, float) for of_one in amounts]
    logs = [np.log(of_one[of_one > 0]) for of_one in days]
    x = np.array([len(of_one) - 1 for of_one in days])
    return Summary(
        customer_id=np.arange(len(days)), x=x, t_x=x * 10, T=x * 10 + 5,
        monetary=np.array([of_one[1:].mean() if len(of_one) > 1 else 0.0 for of_one in days]),
        spent=np.array([of_one.sum() for of_one in days]), paid_days=np.array([len(of_one) for of_one in logs]),
        log_sum=np.array([of_one.sum() for of_one in logs]),
        log_squares=np.array([(of_one**2).sum() for of_one in logs]),
    )  # fmt: skip


def many(seed: int = 1, customers: int = 400) -> list[list[float]]:
    chance = np.random.default_rng(seed)
    return [
        list(chance.lognormal(3 + 0.5 * chance.normal(), 0.4, int(chance.integers(1, 9)))) for _ in range(customers)
    ]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(1, 50), st.floats(0.01, 1e4)), min_size=1, max_size=10),
    values=st.tuples(st.floats(0.1, 20), st.floats(1.1, 20), st.floats(0.1, 50)),
)
def test_the_gradient_of_gamma_gamma_is_the_slope(rows: list[tuple[int, float]], values: tuple[float, ...]) -> None:
    x, mean = (np.array(column, float) for column in zip(*rows, strict=True))
    point = np.array(values)
    slope = _likelihood(point, x, mean)[1]
    for i in range(3):
        step = np.zeros(3)
        step[i] = 1e-6 * point[i]
        numeric = (_likelihood(point + step, x, mean)[0] - _likelihood(point - step, x, mean)[0]) / (2 * step[i])
        assert slope[i] == pytest.approx(numeric, rel=1e-3, abs=1e-3 * max(1.0, np.abs(slope).max()))


@each_model
@pytest.mark.parametrize(
    "amounts",
    [
        [],
        [[5.0]],
        [[5.0], [7.0]],
        [[5.0, 5.0]] * 30,
        [[0.0, 0.0]] * 5,
        [[-3.0, -4.0], [5.0, 6.0]],
        [[1.0, 1e9], [2.0, 3.0], [4.0, 2.0]],
        [list(10.0 ** np.arange(8))] * 20,
    ],
)
def test_no_shop_is_too_strange(model: type[SpendModel], amounts: list[list[float]]) -> None:
    data = shop(amounts)
    fitted = model().fit(data)
    expected = fitted.expected_spend(data)
    assert np.isfinite(expected).all()
    assert np.all(expected >= 0)
    assert all(np.isfinite(part).all() for part in fitted.variance_of_spend(data))
    assert model.from_json(fitted.to_json()).values() == fitted.values()


@each_model
def test_who_paid_more_and_oftener_is_expected_to_pay_more(model: type[SpendModel]) -> None:
    fitted = model().fit(shop(many()))
    once, twice, often = fitted.expected_spend(shop([[60.0], [60.0] * 2, [60.0] * 40]))
    usual = np.median([np.mean(of_one) for of_one in many()])
    assert once <= twice < often
    assert often > usual
    assert np.all(np.diff(fitted.expected_spend(shop([[spent] * 5 for spent in (5.0, 20.0, 40.0, 80.0)]))) > 0)


def test_one_order_of_a_wholesaler_moves_nobody_else() -> None:
    plain, with_one = many(), [*many(), [20.0, 2_000_000.0]]
    asked = shop([[20.0] * 3])
    robust = RobustSpend().fit(shop(with_one)).expected_spend(asked) / RobustSpend().fit(shop(plain)).expected_spend(
        asked
    )
    assert robust[0] == pytest.approx(1.0, abs=0.05)


def test_a_tail_without_a_mean_is_held_and_said() -> None:
    chance = np.random.default_rng(2)
    fitted = GammaGamma().fit(shop([list(np.exp(chance.standard_cauchy() * 3 + 3) * np.ones(2)) for _ in range(300)]))
    assert fitted.fit_ is not None
    assert fitted.fit_.fallback == "heavy_tail"
    assert fitted.q == 1.05
