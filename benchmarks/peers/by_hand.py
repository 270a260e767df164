"""The summary alone, as one query written for DuckDB: `python -m benchmarks.peers.by_hand ROWS.npz`."""

import sys

import duckdb
import numpy as np
import pyarrow as pa
from benchmarks.peers.stages import stage

QUERY = """
    WITH days AS (SELECT customer_id, date::DATE AS day, sum(amount) AS paid FROM rows GROUP BY ALL)
    SELECT customer_id, count(*) - 1 AS x, max(day) - min(day) AS t_x, ?::DATE - min(day) AS "T",
           CASE WHEN count(*) > 1 THEN (sum(paid) - arg_min(paid, day)) / (count(*) - 1) ELSE 0 END AS monetary
    FROM days GROUP BY customer_id ORDER BY customer_id"""

kept = np.load(sys.argv[1])
rows = pa.table({name: kept[name] for name in ("customer_id", "date", "amount")})


def query() -> object:
    with duckdb.connect() as database:
        database.register("rows", rows)
        return database.execute(QUERY, [str(kept["end"])]).fetchnumpy()


stage("summary", query)
