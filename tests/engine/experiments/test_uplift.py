"""Whom it moves, and whether the model knows anything."""

import json
import os
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pytest

from changke.engine.experiments import (
    Advice,
    Interval,
    NotFinite,
    OneArm,
    Qini,
    TooFew,
    UpliftModel,
    advise,
    qini,
    uplift_among_top,
    uplift_curve,
)

Floats = npt.NDArray[np.float64]
DATA = Path(os.environ.get("CHANGKE_DATA") or Path(__file__).resolve().parents[4].parent / "shared" / "data")


def _world(seed: int, *, moved_by: float, customers: int = 8_000) -> tuple[Floats, Floats, Floats]:
    """Customers with a positive first feature are moved by the treatment; the second says who comes anyway."""
    draw = np.random.default_rng(seed)
    features = np.column_stack([draw.normal(size=(customers, 3)), np.ones(customers)])
    treated = draw.random(customers) < 0.5
    rate = 0.15 + 0.1 * (features[:, 1] > 0) + moved_by * treated * (features[:, 0] > 0)
    return features, treated.astype(float), (draw.random(customers) < rate).astype(float)


def test_a_planted_uplift_is_found_among_whom_it_was_planted() -> None:
    model = UpliftModel.fit(*_world(1, moved_by=0.15))
    features, treated, outcome = _world(2, moved_by=0.15)
    score = model.predict(features)
    assert qini(outcome, score, treated, generator=np.random.default_rng(3)).is_above_chance
    assert score[features[:, 0] > 0].mean() == pytest.approx(0.15, abs=0.04)
    assert score[features[:, 0] < 0].mean() == pytest.approx(0.0, abs=0.04)
    assert uplift_among_top(outcome, score, treated) == pytest.approx(0.15, abs=0.04)


def test_where_everybody_is_moved_alike_it_claims_nothing() -> None:
    above = 0
    for seed in range(20):
        model = UpliftModel.fit(*_world(seed, moved_by=0.0, customers=2_000))
        features, treated, outcome = _world(100 + seed, moved_by=0.0, customers=2_000)
        drawn = np.random.default_rng(seed)
        above += qini(outcome, model.predict(features), treated, generator=drawn, random_orders=100).is_above_chance
    assert above <= 3  # 2.5 per cent of 20 is half a one


def test_money_is_fitted_too() -> None:
    features, treated, _ = _world(1, moved_by=0)
    spend = 5_000 + 1_000 * features[:, 1] + treated * 800 * features[:, 0]
    model = UpliftModel.fit(features, treated, spend.round())
    assert not model.is_logistic
    assert model.predict([[1.0, 0, 0, 1], [-1.0, 0, 0, 1]]) == pytest.approx([800, -800], rel=0.02)


def test_an_arm_in_which_nobody_came_can_be_fitted() -> None:
    features, treated, outcome = _world(1, moved_by=0.2)
    model = UpliftModel.fit(features, treated, outcome * treated)
    assert np.isfinite(model.predict(features)).all()


def test_the_order_of_the_customers_does_not_matter() -> None:
    features, treated, outcome = _world(1, moved_by=0.1)
    shuffled = np.random.default_rng(1).permutation(len(treated))
    one = UpliftModel.fit(features, treated, outcome)
    two = UpliftModel.fit(features[shuffled], treated[shuffled], outcome[shuffled])
    assert one.predict(features) == pytest.approx(two.predict(features), abs=1e-6)


def test_a_model_travels_as_json() -> None:
    features, treated, outcome = _world(1, moved_by=0.1)
    model = UpliftModel.fit(features, treated, outcome)
    assert UpliftModel.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False))) == model


def test_the_curve_of_a_case_done_by_hand() -> None:
    """Treated and came, control and came not, treated and came not, control and came; twenty-five times over."""
    outcome, treated, score = ([value] * 25 for value in ([1, 0, 0, 1], [1, 0, 1, 0], [4, 3, 2, 1]))
    curve = uplift_curve(np.ravel(outcome), np.ravel(score), np.repeat([treated[0]], 25, axis=0).ravel())
    assert curve.customers.tolist() == [0, 25, 50, 75, 100]
    assert curve.gain.tolist() == [0, 25, 25, 25, 0]
    found = qini(*map(np.ravel, (outcome, score, treated)), generator=np.random.default_rng(1))
    assert found.value == pytest.approx(1.0)  # no order is better
    worst = qini(np.ravel(outcome), -np.ravel(score), np.ravel(treated), generator=np.random.default_rng(1))
    assert worst.value == pytest.approx(
        -0.5
    )  # who came untreated stands alone: nobody to compare with, no loss counted


def test_equal_scores_are_no_order() -> None:
    _, treated, outcome = _world(1, moved_by=0.1)
    assert qini(outcome, np.zeros(len(outcome)), treated, generator=np.random.default_rng(1)).value == pytest.approx(0)


def test_where_nobody_came_there_is_nothing_to_rank() -> None:
    features, treated, outcome = _world(1, moved_by=0.1)
    found = qini(outcome * 0, features[:, 0], treated, generator=np.random.default_rng(1))
    assert (found.value, found.is_above_chance) == (0.0, False)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_features_and_outcomes_are_finite(broken: float) -> None:
    features, treated, outcome = _world(1, moved_by=0.1)
    model = UpliftModel.fit(features, treated, outcome)
    bad, bad_outcome = features.copy(), outcome.copy()
    bad[7, 1], bad_outcome[7] = broken, broken
    for call in (
        lambda: UpliftModel.fit(bad, treated, outcome),
        lambda: UpliftModel.fit(features, treated, bad_outcome),
        lambda: model.predict(bad),
        lambda: uplift_curve(outcome, bad[:, 1], treated),
    ):
        with pytest.raises(NotFinite):
            call()


def test_one_arm_is_none_and_few_are_too_few() -> None:
    features, treated, outcome = _world(1, moved_by=0.1)
    for arm in (treated * 0, treated * 0 + 1):
        with pytest.raises(OneArm):
            UpliftModel.fit(features, arm, outcome)
    with pytest.raises(TooFew):
        UpliftModel.fit(features[:60], treated[:60], outcome[:60])
    with pytest.raises(OneArm):
        UpliftModel.fit(np.empty((0, 3)), [], [])


@pytest.mark.parametrize(
    ("bounds", "uplift_above", "response_above", "advice"),
    [
        ((-1, 2), True, True, Advice.RANK_BY_UPLIFT),
        ((1, 2), False, True, Advice.RANK_BY_RESPONSE),
        ((1, 2), False, False, Advice.SEND_TO_ALL),
        ((-2, -1), False, False, Advice.SEND_TO_NOBODY),
        ((-1, 2), False, False, Advice.NOTHING_SHOWN),
    ],
)
def test_the_advice(bounds: tuple[int, int], uplift_above: bool, response_above: bool, advice: Advice) -> None:
    effect = Interval(0, 1, bounds[0], bounds[1], 1)
    uplift, response = (Qini(0.1 if above else 0.0, 0.02, 0.05) for above in (uplift_above, response_above))
    assert advise(effect, uplift=uplift, response=response) is advice


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real data sets is absent; set CHANGKE_DATA")
@pytest.mark.parametrize(("arm", "known"), [("Mens E-Mail", False), ("Womens E-Mail", True)])
def test_hillstroms_womens_email_can_be_aimed_and_the_mens_hardly(arm: str, known: bool) -> None:
    rows = duckdb.sql(f"""
        SELECT recency, history, mens, womens, newbie, CAST(zip_code = 'Rural' AS INT) AS rural,
               CAST(zip_code = 'Urban' AS INT) AS urban, CAST(channel = 'Phone' AS INT) AS phone,
               CAST(channel = 'Web' AS INT) AS web, CAST(segment = '{arm}' AS INT) AS treated, visit
        FROM '{DATA}/hillstrom/hillstrom.parquet' WHERE segment IN ('{arm}', 'No E-Mail')""").fetchnumpy()
    *columns, treated, outcome = (np.asarray(column, dtype=float) for column in rows.values())
    features = np.column_stack(columns)
    drawn = np.random.default_rng(0)
    fitted_on = drawn.random(len(outcome)) < 0.5
    model = UpliftModel.fit(features[fitted_on], treated[fitted_on], outcome[fitted_on])
    score = model.predict(features[~fitted_on])
    found = qini(outcome[~fitted_on], score, treated[~fitted_on], generator=drawn)
    assert (found.value > 4 * found.random_deviation) == known
