"""The same four numbers from every frame, and the answer taken by every frame."""

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from changke.engine.clv import BGNBD, summary

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
    assert pd.DataFrame(dict(answer)).shape == (2, 6)
    assert pa.table(answer).num_rows == 2
