"""Warnings per line of what is bought: does the outlook of one thing tell more than counting days since it?

    python -m benchmarks.lines ../shared/data/online_retail_2/online_retail_2.parquet [--lines 40]

A thread is one customer and one article of Online Retail II, of the articles that most customers bought on at least two
days. Each article is judged by itself as the product judges a line of services: docs/algorithms/risk.md. Sums over all
articles, of the silences that began after each one's cut. "Its cycles": those that are the last day of the article.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from changke.engine.churn import JudgedLine, judge_line
from changke.engine.churn.judge import Judged

THREADS = """
CREATE TABLE threads AS
SELECT DISTINCT CustomerID::BIGINT AS customer_id, StockCode AS line, InvoiceDate::DATE AS date
FROM read_parquet('{file}')
WHERE CustomerID IS NOT NULL AND Quantity > 0 AND UnitPrice > 0 AND regexp_matches(StockCode, '^[0-9]')
"""
WIDEST = """
SELECT line FROM (SELECT line, customer_id FROM threads GROUP BY ALL HAVING COUNT(*) > 1)
GROUP BY line ORDER BY COUNT(*) DESC, line LIMIT {lines}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--lines", type=int, default=40)
    options = parser.parse_args()
    began = time.process_time()
    judged = list(_judged(options.file, options.lines))
    asked = [one for _, one in judged if one.test and one.test.rules]
    signals = [one for one in asked if one.test and one.test.signal]
    silences = sum(one.test.silences for one in asked if one.test)
    cycles = sorted(one.cycle_days for one in asked)
    print(
        f"{len(judged)} articles, {len(asked)} with enough threads, in {len(signals)} of them silence tells who stays"
        f" away; usual cycles {cycles[0]} to {cycles[-1]} days; {silences:,} silences judged;"
        f" {time.process_time() - began:.0f} s of the processor\n"
    )
    print("| rule | precision | recall | lead days | false per 100 | alerts per 100 |\n|---|---|---|---|---|---|")
    for name in ("1.5 cycles", "2 cycles", "3 cycles", "its cycles", "outlook as right", "the product"):
        print(_row(name, [row for one in asked if (row := _of(one, name))]))
    return 0


def _judged(file: Path, lines: int) -> Iterator[tuple[str, JudgedLine]]:
    with duckdb.connect() as duck:
        duck.execute(THREADS.format(file=file))
        for (line,) in duck.execute(WIDEST.format(lines=lines)).fetchall():
            days = duck.execute("SELECT customer_id, date FROM threads WHERE line = $1", [line]).fetchnumpy()
            yield line, judge_line(days)


def _of(one: JudgedLine, name: str) -> Judged | None:
    """The row of a rule; None where it found no threshold."""
    assert one.test is not None
    wanted = {
        "1.5 cycles": ("fixed", round(1.5 * one.cycle_days), 0), "2 cycles": ("fixed", 2 * one.cycle_days, 0),
        "3 cycles": ("fixed", 3 * one.cycle_days, 0), "its cycles": ("fixed", one.latest_days, 0),
        "outlook as right": ("outlook", -1, 0), "the product": ("outlook", -1, one.latest_days),
    }[name]  # fmt: skip
    for row in one.test.rules:
        days = row.threshold if row.kind == "fixed" else -1
        alike = row.kind == "fixed" or row.chosen_by == f"fixed_{one.latest_days}"
        if alike and (row.kind, days, row.latest_days) == wanted:
            return row
    return None


def _row(name: str, rows: list[Judged]) -> str:
    """The rule over all lines: shares of all alerts, of all silences."""
    silences = sum(row.silences for row in rows)
    alerts = sum(row.alerts_per_100 * row.silences for row in rows)
    wrong = sum(row.false_per_100 * row.silences for row in rows)
    lapses = [(row, row.silences) for row in rows if row.recall == row.recall]
    weight = sum(number for _, number in lapses)
    recall = sum(row.recall * number for row, number in lapses) / weight if weight else float("nan")
    lead = sum(row.lead_days * number for row, number in lapses) / weight if weight else float("nan")
    return (
        f"| {name} ({len(rows)} articles) | {1 - wrong / alerts if alerts else float('nan'):.3f} | {recall:.3f}"
        f" | {lead:.0f} | {wrong / silences:.1f} | {alerts / silences:.1f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
