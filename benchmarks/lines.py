"""Warnings per line of what is bought: does the outlook of one thing tell more than counting days since it?

    python -m benchmarks.lines ../shared/data/online_retail_2/online_retail_2.parquet [--lines 40]

A thread is one customer and one article of Online Retail II, of the articles that most customers bought on at least two
days. Each article is judged by itself as the product judges a line of services: docs/algorithms/risk.md. Sums over all
articles, of the silences that began after each one's cut. "Its cycles": those that are the last day of the article.

`--nights` plays half a year of nights instead, a week apart, articles judged before it as `benchmarks.let_go` does: who
is warned of by days and by her own habit, and how many of them bought nothing of the article in the 90 days after.
"""

import argparse
import datetime as dt
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from benchmarks import let_go

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


BOUGHT = """
SELECT DISTINCT CustomerID::BIGINT AS customer_id, InvoiceDate::DATE AS date
FROM read_parquet('{file}') WHERE CustomerID IS NOT NULL AND Quantity > 0 AND UnitPrice > 0 ORDER BY ALL
"""
WITH_LINE = """
SELECT customer_id, widest.line, date FROM threads
JOIN (SELECT unnest($1) AS name, unnest($2) AS line) AS widest ON widest.name = threads.line
ORDER BY widest.line, customer_id, date
"""
NIGHTS, AFTER_DAYS = 26, 90


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("--nights", action="store_true")
    options = parser.parse_args()
    if options.nights:
        _nights(options.file, options.lines)
        return 0
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


def _nights(file: Path, lines: int) -> None:
    with duckdb.connect() as duck:
        duck.execute(THREADS.format(file=file))
        names = [line for (line,) in duck.execute(WIDEST.format(lines=lines)).fetchall()]
        with_line = duck.execute(WITH_LINE, [names, list(range(len(names)))]).fetchnumpy()
        bought = duck.execute(BOUGHT.format(file=file)).fetchnumpy()
    people = np.unique(bought["customer_id"])

    def place(rows: dict[str, Any]) -> tuple[Any, Any]:
        return np.searchsorted(people, rows["customer_id"]), rows["date"].astype("datetime64[D]").astype(np.int64)

    who, days = place(with_line)
    held, visits = let_go.Held(who, np.asarray(with_line["line"]), days), place(bought)
    end = int(visits[1].max()) - AFTER_DAYS - 30
    nights = let_go.nights_until(dt.date(1970, 1, 1) + dt.timedelta(days=end), NIGHTS)
    played = let_go.play(held, visits, let_go.judged_before(held, nights[0]), nights)
    had, came = (
        _by_key(zip(who.tolist(), held.line.tolist(), strict=True), days),
        _by_key(visits[0].tolist(), visits[1]),
    )
    print(
        f"{nights[0]} to {nights[-1]}\n\n| rule | warnings | right | of those who came | right |\n|---|---|---|---|---|"
    )
    for name, rule in played.items():
        away = [not _within(had[customer, line], night) for (customer, line, _), night in rule.alerts.items()]
        there = [_within(came[customer], night) for (customer, _, _), night in rule.alerts.items()]
        of_them = [right for right, comes in zip(away, there, strict=True) if comes]
        print(f"| {name} | {len(away):,} | {np.mean(away):.3f} | {len(of_them):,} | {np.mean(of_them):.3f} |")


def _by_key(keys: Any, days: Any) -> dict[Any, list[int]]:
    found: dict[Any, list[int]] = {}
    for key, day in zip(keys, days.tolist(), strict=True):
        found.setdefault(key, []).append(day)
    return found


def _within(days: list[int], night: int) -> bool:
    return any(night < day <= night + AFTER_DAYS for day in days)


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
