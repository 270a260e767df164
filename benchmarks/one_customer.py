"""One customer after a fact: her attributes and stages, and their writing, on PostgreSQL; and everybody, part by part.

    python -m benchmarks.one_customer FOLDER --customers 1000000 --purchases 10000000 [--everybody]

A receipt is recorded and committed, then she is refreshed; only the refresh is timed, its commit included.
"""

import argparse
import datetime as dt
import random
import time
from pathlib import Path

from benchmarks.filled import filled
from benchmarks.told import tell

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
AT_MOST_MS = 30
WARM_UP = 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=10_000_000)
    parser.add_argument("--times", type=int, default=500)
    parser.add_argument("--everybody", action="store_true", help="also the whole refresh, mirror and charts included")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with filled(arguments.folder, arguments.customers, arguments.purchases):
        if arguments.everybody:
            _everybody()
        return _one_by_one(arguments.customers, arguments.times)


def _everybody() -> None:
    from changke.profiles.lifecycle.services import refresh_all  # noqa: PLC0415 -- Django is set up by then

    start = [time.perf_counter(), ""]

    def tell(step: str, done: int, total: int) -> None:
        if step != start[1]:
            now = time.perf_counter()
            if start[1]:
                print(f"  {start[1]}: {now - float(start[0]):.1f} s")
            start[:] = [now, step]

    begin = time.perf_counter()
    done = refresh_all(now=NOW, progress=tell, months=6)
    tell("", 0, 0)
    print(f"everybody, from PostgreSQL and back: {time.perf_counter() - begin:.1f} s; {done}")


def _one_by_one(customers: int, times: int) -> int:
    from django.db import connection  # noqa: PLC0415 -- Django is set up by then

    from changke.profiles.lifecycle.services import refresh_customers  # noqa: PLC0415

    dice, taken = random.Random(1), []
    for turn in range(times + WARM_UP):
        customer = dice.randint(1, customers)
        with connection.cursor() as sql:
            sql.execute(
                "INSERT INTO facts_receipt (kind, number, source, customer_id, store_id, original_number, cash_minor,"
                " consumed_minor, margin_basis, items, happened_at, business_date, recorded_at, source_key)"
                " VALUES ('sale', '', 'bench', %s, 1, '', 10000, 10000, 'unknown', 1, %s, %s, %s, gen_random_uuid())",
                [customer, NOW, NOW.date(), NOW],
            )
        start = time.perf_counter()
        refresh_customers([customer], now=NOW)
        if turn >= WARM_UP:
            taken.append((time.perf_counter() - start) * 1000)
    taken.sort()
    p50, p95, p99 = (taken[int(len(taken) * share)] for share in (0.5, 0.95, 0.99))
    print(f"one customer after a fact: p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms; at most {AT_MOST_MS}")
    tell(customers=customers, p50_ms=p50, p95_ms=p95, p99_ms=p99, p99_at_most_ms=AT_MOST_MS)
    return int(p99 > AT_MOST_MS)


if __name__ == "__main__":
    raise SystemExit(main())
