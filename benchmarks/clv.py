"""From rows to predictions at a million customers, the summary beside the same query written by hand.

    python -m benchmarks.clv [--customers 1000000] [--rows 10000000]

lifetimes is no dependency: its seconds (0.11.3, a quiet machine, two years of data) stand in docs/benchmarks.md as
constants, not of the same run.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import duckdb
import numpy as np

from changke.engine.clv import BGNBD, summary

RUNS = 3
END = "2025-12-31"
BY_HAND = """
    WITH days AS (SELECT customer_id, date::DATE AS day, sum(amount) AS paid FROM rows GROUP BY ALL)
    SELECT customer_id, count(*) - 1 AS x, max(day) - min(day) AS t_x, DATE '2025-12-31' - min(day) AS "T",
           CASE WHEN count(*) > 1 THEN (sum(paid) - arg_min(paid, day)) / (count(*) - 1) ELSE 0 END AS monetary
    FROM days GROUP BY customer_id ORDER BY customer_id"""


def rows_of(customers: int, rows: int) -> duckdb.DuckDBPyRelation:
    """Customers with rates and leaving of their own, in two years, rows in no order."""
    chance = np.random.default_rng(7)
    first = chance.integers(0, 730, customers)
    stays = np.minimum(chance.gamma(0.7, 500, customers), 730 - first)
    weight = chance.gamma(0.9, 1.0, customers) * stays
    more = chance.multinomial(rows - customers, weight / weight.sum())
    who = np.repeat(np.arange(customers), more)
    day = first[who] + np.floor(chance.random(len(who)) * stays[who]).astype(np.int64)
    who, day = np.concatenate([np.arange(customers), who]), np.concatenate([first, day])
    order = chance.permutation(len(who))
    dates = np.datetime64("2024-01-02", "us") + day[order] * np.timedelta64(1, "D")
    columns = {"customer_id": who[order], "date": dates, "amount": chance.lognormal(3.3, 0.6, len(who)).round(2)}
    database = duckdb.connect()
    database.register("given", columns)
    database.execute("CREATE TABLE kept AS FROM given")
    return database.table("kept")


def median(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    options = parser.parse_args()
    frame = rows_of(options.customers, options.rows).to_arrow_table()

    def by_hand() -> object:
        with duckdb.connect() as database:
            database.register("rows", frame)
            return database.execute(BY_HAND).fetchnumpy()

    theirs, ours = median(by_hand), median(lambda: summary(frame, observation_end=END))
    found = summary(frame, observation_end=END)
    print("| work | seconds | beside |")
    print("| --- | --- | --- |")
    print(f"| summary of {options.rows:,} rows | {ours:.2f} | by hand {theirs:.2f}, ratio {ours / theirs:.2f} |")
    fit = median(lambda: BGNBD().fit(found))
    model = BGNBD().fit(found)
    assert model.fit_ is not None
    rows, evaluations = model.fit_.rows, model.fit_.evaluations
    print(f"| BG/NBD, {len(found):,} customers, {rows:,} distinct | {fit:.2f} | {evaluations} evaluations |")
    past = (found.x, found.t_x, found.T)
    print(f"| P(alive) | {median(lambda: model.p_alive(*past)):.2f} | |")
    print(f"| P(active in 90 days) | {median(lambda: model.p_active(90, *past)):.2f} | |")
    print(f"| expected purchases in 90 days | {median(lambda: model.expected_purchases(90, *past)):.2f} | |")
    print(f"| everything with intervals | {median(lambda: model.predict(found, horizon=90)):.2f} | |")


if __name__ == "__main__":
    main()
