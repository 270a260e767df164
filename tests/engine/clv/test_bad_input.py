"""What a shop can have is answered; what nobody can have is refused."""

import datetime as dt

import numpy as np
import pytest

from changke.engine.clv import BGNBD, MBGNBD, MixedCurrencies, ParetoNBD, Statistics, summary
from changke.engine.clv.model import PurchaseModel
from changke.engine.engines.frames import UnreadableFrame

MODELS = [BGNBD, MBGNBD, ParetoNBD]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
END = dt.date(2026, 6, 30)


def table(*rows: tuple[object, str, float]) -> dict[str, np.ndarray]:
    return {
        "customer_id": np.array([r[0] for r in rows], object),
        "date": np.array([r[1] for r in rows], "datetime64[us]"),
        "amount": np.array([r[2] for r in rows], float),
    }


@each_model
@pytest.mark.parametrize(
    ("x", "t_x", "T", "fallback"),
    [
        ([], [], [], "empty"),
        ([0], [0], [0], "one_day"),
        ([0] * 50, [0] * 50, [0] * 50, "one_day"),
        ([0], [0], [200], "nobody_came_back"),
        ([0] * 500, [0] * 500, list(range(1, 501)), "nobody_came_back"),
        ([5], [100], [120], "few"),
        ([1], [1], [1], "few"),
        ([10_000], [700], [700], "few"),
        ([0] * 300 + [10_000], [0] * 300 + [700], [700] * 301, "few"),
    ],
)
def test_a_shop_about_which_little_is_known(
    model: type[PurchaseModel], x: list[int], t_x: list[int], T: list[int], fallback: str
) -> None:
    fitted = model().fit(x=x, t_x=t_x, T=T)
    assert fitted.fit_ is not None
    assert fitted.fit_.fallback == fallback
    assert fitted.fit_.notes
    predicted = fitted.predict({"x": [0, 4], "t_x": [0, 60], "T": [80, 80]}, horizon=90)
    assert all(np.isfinite(column).all() for column in predicted.values())
    assert np.all(predicted["expected_purchases"] < 90)
    assert fitted.from_json(fitted.to_json()).values() == fitted.values()


@each_model
@pytest.mark.parametrize(
    "rows",
    [
        [(20, 340, 360)] * 40,  # nobody leaves: the optimum lies on the boundary
        [(3, 90, 100)] * 50,  # all alike
        [(1, 1, 700)] * 300,  # everybody came twice in two days and never again
        [(0, 0, 500)] * 5000 + [(400, 499, 500)] * 12,
    ],
)
def test_an_optimum_on_the_boundary_is_an_answer(model: type[PurchaseModel], rows: list[tuple[int, int, int]]) -> None:
    x, t_x, T = (np.array(column, float) for column in zip(*rows, strict=True))
    fitted = model().fit(x=x, t_x=t_x, T=T)
    assert fitted.fit_ is not None
    assert fitted.fit_.fallback is None
    assert np.isfinite(fitted.fit_.log_likelihood)
    predicted = fitted.predict({"x": x[:1], "t_x": t_x[:1], "T": T[:1]}, horizon=100)
    assert all(np.isfinite(column).all() for column in predicted.values())


@each_model
def test_nothing_happens_in_no_time(model: type[PurchaseModel]) -> None:
    predicted = (
        model().fit(x=[0, 3] * 10, t_x=[0, 9] * 10, T=[20] * 20).predict({"x": [3], "t_x": [9], "T": [20]}, horizon=0)
    )
    assert predicted["p_active"][0] == 0
    assert predicted["expected_purchases"][0] == 0
    assert predicted["purchases_high"][0] == 0


@each_model
@pytest.mark.parametrize("horizon", [-1.0, np.nan, np.inf])
def test_no_horizon_that_nobody_can_have(model: type[PurchaseModel], horizon: float) -> None:
    with pytest.raises(ValueError, match="horizon"):
        model().fit(x=[1], t_x=[2], T=[3]).p_active(horizon, [1], [2], [3])


@pytest.mark.parametrize(
    ("x", "t_x", "T"),
    [
        ([1], [5], [4]),
        ([-1], [0], [4]),
        ([0.5], [1], [4]),
        ([np.nan], [0], [4]),
        ([1], [1], [np.inf]),
        ([0], [2], [4]),
        ([1, 2], [1], [4]),
    ],
)
def test_numbers_that_no_purchases_give_are_refused(x: list[float], t_x: list[float], T: list[float]) -> None:
    with pytest.raises(ValueError, match=r"must|has t_x"):
        Statistics.of(x, t_x, T)


def test_two_receipts_of_a_day_are_one_occasion() -> None:
    found = summary(
        table(("v", "2026-06-01 09:00", 10), ("v", "2026-06-01 18:00", 5), ("v", "2026-06-11 10:00", 20)),
        observation_end=END,
    )
    assert found.table().records() == [
        {"customer_id": "v", "x": 1, "t_x": 10, "T": 29, "monetary": 20.0, "spent": 35.0}
    ]


def test_a_refund_lowers_the_money_and_is_no_visit() -> None:
    found = summary(
        table(
            ("v", "2026-06-01", 10),
            ("v", "2026-06-11", 20),
            ("v", "2026-06-11", -20),
            ("v", "2026-06-20", -5),
            ("w", "2026-06-02", -3),
        ),
        observation_end=END,
    )
    assert found.customer_id.tolist() == ["v"]
    assert (found.x[0], found.t_x[0]) == (1, 10)
    assert found.monetary is not None
    assert found.monetary[0] == 0.0


def test_what_cannot_be_counted_is_left_out_and_said() -> None:
    rows = table(
        ("v", "2026-06-01", 10),
        ("v", "2026-07-09", 20),
        (None, "2026-06-02", 3),
        ("w", "NaT", 3),
        ("w", "2026-06-05", np.inf),
        ("w", "2026-06-06", np.nan),
    )
    found = summary(rows, observation_end=END)
    assert found.customer_id.tolist() == ["v", "w"]
    assert found.left_out == {"no_customer": 1, "no_date": 1, "after_the_end": 1, "amount_is_no_number": 1}
    assert found.spent is not None
    assert found.spent.tolist() == [10.0, 0.0]


def test_nothing_at_all_is_a_summary_too() -> None:
    found = summary(table(), observation_end=END)
    assert len(found) == 0
    fitted = BGNBD().fit(found)
    assert fitted.predict(found, horizon=30).rows == 0


def test_one_customer_with_ten_thousand_receipts() -> None:
    days = np.datetime64("2024-01-01", "us") + np.arange(10_000) % 900 * np.timedelta64(1, "D")
    found = summary({"customer_id": np.ones(10_000, int), "date": days, "amount": np.ones(10_000)}, observation_end=END)
    assert found.x.tolist() == [899]
    assert found.spent is not None
    assert found.spent.tolist() == [10_000.0]


def test_several_currencies_are_refused() -> None:
    rows = {**table(("v", "2026-06-01", 10), ("w", "2026-06-01", 10)), "currency": np.array(["CNY", "HKD"], object)}
    with pytest.raises(MixedCurrencies, match="CNY, HKD"):
        summary(rows, observation_end=END)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UnreadableFrame, match="no column customer_id"):
        summary({"id": np.array([1]), "date": np.array(["2026-06-01"], "datetime64[us]")}, observation_end=END)
    with pytest.raises(UnreadableFrame, match="not a frame"):
        summary(7, observation_end=END)
