"""The same four numbers from every frame, and the answer taken by every frame."""

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from changke import engine
from changke.engine.clv import BGNBD, MBGCNBD, GammaGamma, RobustSpend, Summary, alive_path, summary
from changke.engine.clv.statistics import NotASummary
from changke.engine.days import NotADay
from changke.engine.engines.frames import UnreadableFrame
from changke.engine.refusals import NotFitted

HERE = sys.modules[summary.__module__]
"""The module has the name of its function."""

ROWS = {
    "customer_id": ["vera", "vera", "wu", "vera"],
    "date": [dt.date(2026, 1, 1), dt.date(2026, 1, 11), dt.date(2026, 2, 1), dt.date(2026, 3, 1)],
    "amount": [10.0, 20.0, 5.0, 30.0],
}


def frames(folder: Path) -> dict[str, Any]:
    polars = pl.DataFrame(ROWS)
    polars.write_parquet(folder / "rows.parquet")
    elsewhere = duckdb.connect()
    return {
        "polars": polars,
        "polars lazy": polars.lazy(),
        "polars with times": polars.with_columns(pl.col("date").cast(pl.Datetime("us"))),
        "pandas": polars.to_pandas(),
        "arrow": polars.to_arrow(),
        "duckdb": elsewhere.sql(f"SELECT * FROM '{folder}/rows.parquet'"),
        "a path": folder / "rows.parquet",
    }


@pytest.mark.parametrize("kind", ["polars", "polars lazy", "polars with times", "pandas", "arrow", "duckdb", "a path"])
def test_every_frame_gives_the_same_numbers(kind: str, tmp_path: Path) -> None:
    found = summary(frames(tmp_path)[kind], observation_end="2026-03-31", rhythm=True, spread=True)
    first, second = found.table().records()
    assert (first["customer_id"], first["x"], first["t_x"], first["T"]) == ("vera", 2, 59, 89)
    assert (first["monetary"], first["spent"], first["paid_days"]) == (25.0, 60.0, 3)
    assert first["log_gaps"] == pytest.approx(6.1944, abs=1e-4)  # ln 10 + ln 49
    assert (second["customer_id"], second["x"], second["t_x"], second["T"]) == ("wu", 0, 0, 58)


@pytest.mark.parametrize("kind", ["polars", "polars lazy", "arrow", "duckdb", "a path"])
def test_many_rows_are_summed_in_parts_and_give_the_same(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = summary(frames(tmp_path)[kind], observation_end="2026-03-31", rhythm=True, spread=True)
    monkeypatch.setattr(HERE, "ROWS_A_PART", 1)
    parts = summary(frames(tmp_path)[kind], observation_end="2026-03-31", rhythm=True, spread=True)
    assert parts.table().records() == whole.table().records()


def test_customers_stand_in_their_order_whatever_part_they_were_in(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pl.DataFrame({"customer_id": [n * 7 % 101 for n in range(500)], "date": [dt.date(2026, 1, 1)] * 500})
    monkeypatch.setattr(HERE, "ROWS_A_PART", 50)
    assert summary(rows, observation_end="2026-03-31").customer_id.tolist() == list(range(101))


def test_the_answer_is_a_frame_of_any_kind(tmp_path: Path) -> None:
    found = summary(frames(tmp_path)["polars"], observation_end=dt.date(2026, 3, 31))
    answer = BGNBD().fit(found).predict(found, horizon=30)
    assert pl.DataFrame(answer)["customer_id"].to_list() == ["vera", "wu"]
    assert pd.DataFrame(answer).shape == (2, 6)
    assert pa.table(answer).num_rows == 2


PANDAS: dict[str, Any] = {
    "backed by Arrow": lambda rows: rows.convert_dtypes(dtype_backend="pyarrow"),
    "dates of Arrow": lambda rows: rows.assign(date=rows.date.astype("date32[pyarrow]")),
    "dates as text": lambda rows: rows.assign(date=rows.date.astype(str)),
    "ids as categories": lambda rows: rows.assign(customer_id=rows.customer_id.astype("category")),
    "amounts that may be missing": lambda rows: rows.assign(amount=rows.amount.astype("Float64")),
    "amounts as text": lambda rows: rows.assign(amount=rows.amount.astype(str)),
    "moments of New York": lambda rows: rows.assign(
        date=pd.to_datetime(rows.date).dt.tz_localize("America/New_York") + pd.Timedelta("23h")
    ),
    "moments of a fixed zone": lambda rows: rows.assign(
        date=pd.to_datetime(rows.date).dt.tz_localize(dt.timezone(dt.timedelta(hours=8)))
    ),
    "lists": lambda rows: rows.to_dict("list"),
    "Polars, lazy, moments of Shanghai": lambda rows: pl.LazyFrame(rows.to_dict("list")).with_columns(
        pl.col("date").cast(pl.Datetime("ms")).dt.replace_time_zone("Asia/Shanghai")
    ),
    "Arrow, moments of Tokyo": lambda rows: pa.table(
        {**rows.to_dict("list"), "date": pa.array(pd.to_datetime(rows.date).dt.tz_localize("Asia/Tokyo"))}
    ),
}


@pytest.mark.parametrize("kind", PANDAS)
def test_however_its_columns_are_typed_a_day_is_the_day_of_its_zone(kind: str) -> None:
    found = summary(PANDAS[kind](pd.DataFrame(ROWS)), observation_end="2026-03-31")
    assert found.customer_id.tolist() == ["vera", "wu"]
    assert (found.t_x.tolist(), found.T.tolist()) == ([59, 0], [89, 58])
    assert found.monetary is not None
    assert found.monetary.tolist() == [25, 0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (pd.DataFrame(ROWS).assign(date="03/14/2026"), "03/14/2026.*written|03/14/2026.*2026-06-30"),
        (pd.DataFrame(ROWS).assign(date=["soon", *map(str, ROWS["date"][1:])]), "soon"),
        (pd.DataFrame(ROWS).assign(date=20260101), "BIGINT"),
        (pd.DataFrame(ROWS).assign(amount="12 yuan"), "12 yuan"),
        (pd.DataFrame(ROWS).to_dict("records"), "make a frame of the rows first"),
        (None, "NoneType"),
        (pa.table(ROWS).to_reader(), "read_all"),
        ("rows.csv", "read_csv"),
        (pd.DataFrame(ROWS).set_index("customer_id"), "no column customer_id among date, amount"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(rows: Any, said: str) -> None:
    with pytest.raises(UnreadableFrame, match=said):
        summary(rows, observation_end="2026-03-31")


def test_a_column_of_money_that_was_named_is_expected_to_be_there() -> None:
    with pytest.raises(UnreadableFrame, match="no column amonut"):
        summary(pd.DataFrame(ROWS), observation_end="2026-03-31", amount="amonut")
    assert summary({name: ROWS[name] for name in ("customer_id", "date")}, observation_end="2026-03-31").spent is None


@pytest.mark.parametrize("day", ["28.10.2025", 20251028, None])
def test_what_is_no_day_is_refused(day: Any) -> None:
    with pytest.raises(NotADay, match="write it as 2026-06-30"):
        summary(pd.DataFrame(ROWS), observation_end=day)


def known() -> Summary:
    return summary(pd.DataFrame(ROWS), observation_end="2026-03-31", spread=True)


AS_FRAMES: dict[str, Any] = {
    "pandas": lambda found: pd.DataFrame(found.table()),  # its `.T` is the frame lying on its side
    "polars": lambda found: pl.DataFrame(found.table()),
    "arrow": lambda found: pa.table(found.table()),
    "table": lambda found: found.table(),
}


@pytest.mark.parametrize("kind", AS_FRAMES)
def test_models_learn_from_a_summary_in_any_frame(kind: str) -> None:
    found = known()  # asked once: sums of logarithms come in any order, so twice they may differ in the last digit
    frame = AS_FRAMES[kind](found)
    model, spend = BGNBD().fit(frame), GammaGamma().fit(frame)
    assert model.values() == BGNBD().fit(found).values()
    assert np.array_equal(model.predict(frame, horizon=9)["p_active"], model.predict(found, horizon=9)["p_active"])
    assert model.predict(frame, horizon=9)["customer_id"].tolist() == ["vera", "wu"]
    assert np.array_equal(spend.expected_spend(frame), spend.expected_spend(found))
    assert np.array_equal(
        RobustSpend().fit(frame).expected_spend(frame), RobustSpend().fit(found).expected_spend(found)
    )


def test_receipts_are_no_summary_and_a_model_that_learned_nothing_says_so() -> None:
    with pytest.raises(NotASummary, match="no column x in this DataFrame: first `summary"):
        BGNBD().fit(pd.DataFrame(ROWS))
    for asks in (BGNBD().predict, lambda found, horizon: GammaGamma().expected_spend(found)):
        with pytest.raises(NotFitted, match=r"has learned nothing: call fit\(\)"):
            asks(known(), horizon=9)
    assert not hasattr(BGNBD(), "r")


def test_what_is_printed_is_short() -> None:
    assert repr(known()).startswith("Summary(2 customers: customer_id, x, t_x, T, monetary, spent")
    assert repr(MBGCNBD(k=2, r=1.0, alpha=10.0, a=0.5, b=2.0)) == "MBGCNBD(k=2, r=1, alpha=10, a=0.5, b=2)"
    path = alive_path(BGNBD(r=1.0, alpha=10.0, a=0.5, b=2.0), ["2026-01-01"], observation_end="2026-01-03")
    assert repr(path) == "Table(3 rows: date, x, t_x, T, p_alive)"


def test_the_rooms_of_the_engine_are_found_without_importing_them() -> None:
    assert {"outlook", "affinity", "churn", "clv", "cohorts", "experiments"} <= set(dir(engine))
    assert engine.cohorts.retention
    assert engine.experiments.lift
    assert engine.affinity.recommend
