"""The real data that published numbers belong to. They are not ours to ship."""

import os
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pytest

from changke.engine.clv import Summary, summary
from changke.engine.table import Table

FOLDER = Path(os.environ.get("CHANGKE_DATA") or Path(__file__).parents[4] / "shared" / "data")
needs_cdnow = pytest.mark.skipif(
    not (FOLDER / "cdnow" / "cdnow_master.parquet").exists(),
    reason="the folder of real data sets is absent: CHANGKE_DATA holds cdnow/cdnow_master.parquet, ..._sample_ids.csv",
)


@cache
def cdnow(*, sample: bool) -> Table:
    """Orders of all 23,570 customers, or of the 2,357 that the papers used."""
    source = f"SELECT * FROM '{FOLDER}/cdnow/cdnow_master.parquet'"
    if sample:
        source += f" WHERE customer_id IN (SELECT customer_id FROM '{FOLDER}/cdnow/cdnow_sample_ids.csv')"
    return Table(dict(duckdb.sql(source).fetchnumpy()))


@cache
def calibration(*, sample: bool) -> Summary:
    """39 weeks, in weeks as the papers have it."""
    found = summary(cdnow(sample=sample), observation_end="1997-09-30", spread=True)
    weeks = {"t_x": found.t_x / 7, "T": found.T / 7}
    return Summary(**{**found.__dict__, **weeks})


def holdout_days(found: Summary) -> np.ndarray:
    """Purchase days of each customer in the 39 weeks after, in the order of the summary."""
    later = {row["customer_id"]: 0 for row in found.table().records()}
    query = "SELECT customer_id, count(DISTINCT date) FROM t WHERE date > '1997-09-30' GROUP BY customer_id"
    with duckdb.connect() as connection:
        connection.register("t", dict(cdnow(sample=len(found) < 3000)))
        later |= dict(connection.execute(query).fetchall())
    return np.array([later[customer] for customer in found.customer_id.tolist()], float)
