"""Whatever a shop can have, every part of the engine answers it with numbers that are numbers, and never raises."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pandas as pd
import pytest

from changke.engine import affinity, churn, clv, cohorts, outlook, rfm

END = "2026-02-04"


@cache
def ordinary() -> pd.DataFrame:
    chance, rows = np.random.default_rng(2), 1200
    day = np.datetime64("2025-01-01") + chance.integers(0, 400, rows).astype("timedelta64[D]")
    paid = chance.gamma(2, 50, rows).round(2)
    who = chance.integers(0, 520, rows)
    return pd.DataFrame({"customer_id": who, "date": day, "amount": paid, "item_id": np.arange(rows) * 7 % 13})


def now_and_then(column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda rows: rows.assign(**{column: rows[column].where(np.arange(len(rows)) % 3 > 0, value)})


def every_week(rows: pd.DataFrame) -> pd.DataFrame:
    weeks = pd.Timestamp("2025-01-01") + pd.to_timedelta((np.arange(len(rows)) // 520) * 7, "D")
    return rows.assign(customer_id=np.arange(len(rows)) % 520, date=weeks)


SHOPS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "empty": lambda rows: rows.iloc[:0],
    "one row": lambda rows: rows.iloc[:1],
    "one customer": lambda rows: rows.assign(customer_id=7),
    "everybody once": lambda rows: rows.drop_duplicates("customer_id"),
    "all on one day": lambda rows: rows.assign(date=pd.Timestamp("2025-03-01")),
    "all on the last day": lambda rows: rows.assign(date=pd.Timestamp(END)),
    "mostly given back": now_and_then("amount", -500.0),
    "only refunds": lambda rows: rows.assign(amount=-5.0),
    "given away": lambda rows: rows.assign(amount=0.0),
    "one of a million million": lambda rows: rows.assign(amount=rows.amount.where(rows.index > 0, 1e12)),
    "no number now and then": now_and_then("amount", np.nan),
    "without end now and then": now_and_then("amount", np.inf),
    "no amount is a number": lambda rows: rows.assign(amount=np.nan),
    "no date now and then": now_and_then("date", pd.NaT),
    "not one date": lambda rows: rows.assign(date=pd.NaT),
    "the future now and then": now_and_then("date", pd.Timestamp("2031-01-01")),
    "all in the future": lambda rows: rows.assign(date=pd.Timestamp("2031-01-01")),
    "one receipt of 1700": lambda rows: rows.assign(date=rows.date.where(rows.index > 0, pd.Timestamp("1700-01-01"))),
    "nobody known": lambda rows: rows.assign(customer_id=np.nan),
    "ids that are yes and no": lambda rows: rows.assign(customer_id=rows.customer_id % 2 == 0),
    "everything twice": lambda rows: pd.concat([rows, rows]),
    "like a clock": every_week,
}


def answers(rows: pd.DataFrame) -> Iterator[tuple[str, object]]:
    said = outlook(rows, observation_end=END, horizon_days=200, boosting=False)
    yield "outlook", said
    assert np.all((said["p_active"] >= 0) & (said["p_active"] <= 1))
    assert np.all(said["purchases_low"] <= said["purchases_high"])
    assert np.all(said["spend_low"] <= said["spend_high"])
    found = clv.summary(rows, observation_end=END, spread=True)
    for model in (clv.BGNBD(), clv.MBGCNBD(k=2)):
        yield f"predict of {model.name}", model.fit(found).predict(found, horizon=90)
    for spend in (clv.GammaGamma(), clv.RobustSpend()):
        named = {"horizon_days": 365, "margin": 0.4, "discount_per_year": 0.1}
        yield f"value of {spend.name}", clv.value_between(model, spend.fit(found), found, **named)
    yield "rfm", rfm.rfm(found)
    yield "retention", cohorts.average_retention(cohorts.retention(rows, observation_end=END))
    yield "repurchase", cohorts.repurchase(rows, observation_end=END, amount="amount")
    yield "recommend", affinity.recommend(rows, observation_end=END, top=3)
    yield "backtest", str(churn.backtest(rows.iloc[::5], horizon_days=30, observation_end=END).signal)


@pytest.mark.parametrize("kind", SHOPS)
def test_a_shop_has_an_answer(kind: str) -> None:
    for name, said in answers(SHOPS[kind](ordinary().copy())):
        assert said is not None, name
        if isinstance(said, dict):
            for column, values in said.items():
                assert values.dtype.kind != "f" or np.isfinite(values).all(), f"{name}: {column}"


def test_rows_in_any_order_give_the_same() -> None:
    rows = ordinary()
    one, other = (
        outlook(some, observation_end=END, horizon_days=60, boosting=False)
        for some in (rows, rows.sample(frac=1, random_state=1))
    )
    assert one["customer_id"].tolist() == other["customer_id"].tolist()
    for name in one:
        assert one[name] == pytest.approx(other[name], rel=1e-9)
