"""Every model: its gradient, its predictions against each other and against textbooks, and what grows with what."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import hyp2f1

from changke.engine.clv import BGNBD, MBGNBD, ParetoNBD, Statistics
from changke.engine.clv.model import PurchaseModel
from changke.engine.clv.pareto_nbd import _left

MODELS = [BGNBD, MBGNBD, ParetoNBD]
COINS = {"r": 0.6, "alpha": 30.0, "a": 0.8, "b": 2.2}
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)

TERMS = 800
positive = st.floats(0.05, 20)
customers = st.lists(st.tuples(st.integers(0, 40), st.floats(0, 1), st.integers(0, 700)), min_size=1, max_size=15)


def some(model: type[PurchaseModel]) -> PurchaseModel:
    return model(**{name: COINS.get(name, 1.5 * i + 1) for i, name in enumerate(model.parameters)})


def columns(rows: list[tuple[int, float, int]]) -> dict[str, list[float]]:
    last = [0.0 if not x else share * T for x, share, T in rows]
    return {"x": [r[0] for r in rows], "t_x": last, "T": [float(r[0] + r[2]) for r in rows]}


@each_model
@settings(max_examples=60, deadline=None)
@given(rows=customers, values=st.tuples(positive, positive, positive, positive))
def test_the_gradient_is_the_slope(
    model: type[PurchaseModel], rows: list[tuple[int, float, int]], values: tuple[float, ...]
) -> None:
    likelihood = model()._likelihood(Statistics.of(**columns(rows)))
    point = np.array(values)
    _, slope = likelihood(point)
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5 * point[i]
        numeric = (likelihood(point + step)[0] - likelihood(point - step)[0]) / (2 * step[i])
        # Points of Gauss see the derivative of a very steep integral (s of 14, beta of a sixteenth) to a hundredth.
        assert slope[i] == pytest.approx(numeric, rel=2e-3, abs=1e-2 * max(1.0, np.abs(slope).max()))


@each_model
@settings(max_examples=10, deadline=None)
@given(rows=customers, horizon=st.floats(0, 100))
def test_predictions_agree_with_each_other(
    model: type[PurchaseModel], rows: list[tuple[int, float, int]], horizon: float
) -> None:
    asked = some(model)
    data = columns(rows)
    alive, active = asked.p_alive(**data), asked.p_active(horizon, **data)
    expected = asked.expected_purchases(horizon, **data)
    assert np.all((active >= 0) & (active <= alive + 1e-12) & (alive <= 1))
    assert np.allclose(active, asked.at_least(1, horizon, **data), atol=1e-5)
    assert np.all(expected >= active - 1e-6)
    n = np.repeat(np.arange(1.0, TERMS), len(rows))
    tiled = [np.tile(np.array(data[name], float), TERMS - 1) for name in ("x", "t_x", "T")]
    at_least = asked._at_least(n, horizon, *tiled).reshape(TERMS - 1, len(rows))
    assert np.all(np.diff(at_least, axis=0) <= 1e-12)
    assert np.allclose(at_least.sum(axis=0), expected, rtol=1e-2, atol=1e-4)
    second = (2 * np.arange(TERMS)[1:, None] - 1) * at_least
    assert np.allclose(
        second.sum(axis=0) - expected**2, asked.variance_of_purchases(horizon, **data), rtol=1e-2, atol=1e-4
    )


@each_model
def test_what_grows_with_what(model: type[PurchaseModel]) -> None:
    asked = some(model)
    silent = np.arange(0, 400, 10.0)
    regular = {"x": np.full(len(silent), 6.0), "t_x": np.full(len(silent), 90.0), "T": 90 + silent}
    assert np.all(np.diff(asked.p_alive(**regular)) < 0)
    assert np.all(np.diff(asked.p_active(60, **regular)) < 0)
    assert np.all(np.diff([asked.expected_purchases(h, 6, 90, 120)[0] for h in range(0, 300, 20)]) > 0)
    fresh = np.arange(1.0, 30)
    assert np.all(np.diff(asked.p_active(60, fresh, np.full(29, 100.0), np.full(29, 100.0))) > 0)


@each_model
def test_the_interval_holds_what_it_promises(model: type[PurchaseModel]) -> None:
    asked = some(model)
    data = {"x": [0, 3, 40, 9000], "t_x": [0, 50, 300, 699], "T": [700, 60, 310, 700]}
    predicted = asked.predict(data, horizon=200, interval=0.8)
    for i in range(4):
        one = {name: [column[i]] for name, column in data.items()}
        low, high = int(predicted["purchases_low"][i]), int(predicted["purchases_high"][i])
        assert asked.at_least(low, 200, **one)[0] >= 0.9
        assert asked.at_least(low + 1, 200, **one)[0] <= 0.9
        assert asked.at_least(high + 1, 200, **one)[0] <= 0.1 + 1e-12
        assert high == 0 or asked.at_least(high, 200, **one)[0] > 0.1


@each_model
def test_a_fit_comes_back_from_its_text(model: type[PurchaseModel]) -> None:
    rows = {"x": [0] * 20 + [3] * 20, "t_x": [0] * 20 + [50] * 20, "T": [100] * 40}
    fitted = model().fit(rows)
    again = model.from_json(fitted.to_json())
    assert again.values() == fitted.values()
    assert again.fit_ == fitted.fit_
    for other in set(MODELS) - {model}:
        with pytest.raises(ValueError, match="not a fit"):
            other.from_json(fitted.to_json())


@pytest.mark.parametrize("a", [0.4, 0.999, 1.001, 3.0])
def test_bg_nbd_agrees_with_the_formula_of_the_paper(a: float) -> None:
    model = BGNBD(r=0.4, alpha=20.0, a=a, b=2.0)
    x, t_x, T, h = np.arange(30.0), np.minimum(np.arange(30.0) * 9, 200), np.full(30, 250.0), 90.0
    r, alpha, b = model.r, model.alpha, model.b
    inner = hyp2f1(r + x, b + x, a + b + x - 1, h / (alpha + T + h))
    closed = (
        (a + b + x - 1) / (a - 1) * (1 - ((alpha + T) / (alpha + T + h)) ** (r + x) * inner) * model.p_alive(x, t_x, T)
    )
    assert np.allclose(model.expected_purchases(h, x, t_x, T), closed, rtol=1e-7)


@settings(max_examples=80, deadline=None)
@given(
    x=st.sampled_from([0, 1, 3, 20, 300]), share=st.floats(0, 0.99), T=st.floats(1, 100),
    r=st.floats(0.1, 15), alpha=st.floats(0.1, 50), s=st.floats(0.05, 15), beta=st.floats(0.1, 100),
)  # fmt: skip
def test_the_integral_of_pareto_nbd_is_the_integral(
    x: int, share: float, T: float, r: float, alpha: float, s: float, beta: float
) -> None:
    start, events = share * T if x else 0.0, r + x
    first = events * np.log(alpha + start) + (s + 1) * np.log(beta + start)

    def density(w: float) -> float:
        u = (alpha + start) * np.exp(w) - alpha
        return float(np.exp(w + first - events * np.log(alpha + u) - (s + 1) * np.log(beta + u)))

    wide = np.log((alpha + T) / (alpha + start))
    by_quad = quad(density, 0, wide, points=[min(wide, 20 / events) / 2], limit=300, epsrel=1e-11)[0]
    found = _left(np.array([events]), s, alpha, beta, np.array([start]), np.array([T]))[0][0]
    assert found == pytest.approx(np.log(s) + np.log(alpha + start) - first + np.log(by_quad), abs=2e-3)


def test_where_nobody_leaves_it_is_the_nbd() -> None:
    model = BGNBD(r=0.5, alpha=20.0, a=1e-9, b=5.0)
    assert model.expected_purchases(30, [4], [50], [60])[0] == pytest.approx(4.5 / 80 * 30, rel=1e-6)


def test_whoever_bought_once_is_certainly_alive_for_one_and_not_for_the_other() -> None:
    assert BGNBD(**COINS).p_alive([0], [0], [500])[0] == 1
    assert MBGNBD(**COINS).p_alive([0], [0], [500])[0] < 0.8


@pytest.mark.parametrize("horizon", [7.0, 63.0, 365.0])
@pytest.mark.parametrize(("s", "beta"), [(4.0, 5.5), (1.9, 0.8), (0.2, 3_000.0), (7.0, 0.2)])
def test_of_a_newcomer_the_chance_is_the_integral_over_the_day_on_which_she_leaves(
    s: float, beta: float, horizon: float
) -> None:
    """Leaving fast, or hardly ever: held against very many points of the same integral."""
    model = ParetoNBD(r=0.6, alpha=30, s=s, beta=beta)
    edges = beta * np.expm1(np.linspace(0, np.log1p(horizon / beta), 400_001))
    middle = (edges[1:] + edges[:-1]) / 2
    leaves = -np.diff((1 + edges / beta) ** -s)
    by = [1 - (1 + day / 30) ** -0.6 for day in (middle, horizon)]
    true = float(leaves @ by[0]) + (1 + horizon / beta) ** -s * by[1]
    newcomer = {"x": [0], "t_x": [0.0], "T": [0.0]}
    assert model.p_active(horizon, **newcomer)[0] == pytest.approx(true, abs=1e-7)
    assert model.at_least(1, horizon, **newcomer)[0] == pytest.approx(true, abs=1e-7)
