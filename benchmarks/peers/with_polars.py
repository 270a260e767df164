"""The summary alone, with Polars' lazy engine: `python -m benchmarks.peers.with_polars ROWS.npz`."""

import sys

import numpy as np
import polars as pl
from benchmarks.peers.stages import stage

kept = np.load(sys.argv[1])
rows = pl.DataFrame({name: kept[name] for name in ("customer_id", "date", "amount")})
end = pl.lit(str(kept["end"])).str.to_date()


def query() -> object:
    days = rows.lazy().group_by("customer_id", pl.col("date").cast(pl.Date).alias("day")).agg(pl.col("amount").sum())
    first = pl.col("amount").get(pl.col("day").arg_min())
    found = days.group_by("customer_id").agg(
        (pl.len() - 1).cast(pl.Float64).alias("x"),
        (pl.col("day").max() - pl.col("day").min()).dt.total_days().cast(pl.Float64).alias("t_x"),
        (end - pl.col("day").min()).dt.total_days().cast(pl.Float64).alias("T"),
        pl.when(pl.len() > 1).then((pl.col("amount").sum() - first) / (pl.len() - 1)).otherwise(0.0).alias("monetary"),
    )
    answer = found.sort("customer_id").collect()
    return {name: answer[name].to_numpy() for name in answer.columns}


stage("summary", query)
