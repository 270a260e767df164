"""Customers whose facts changed, many at once: computed, and written where they differ.

    python -m benchmarks.changed FOLDER --customers 1000000 --purchases 10000000 [--changed 1000 10000]

A receipt is recorded and committed for each of them, then they are refreshed, as the follower does; only that is timed.
Then all of them buy once more: nearly nobody changes her stage by that. Baseline: other customers, by PostgreSQL alone,
a thousand in a statement. With `--reading` only their facts are read, by the index of PostgreSQL (the baseline) and out
of the mirror, which is brought up to date first: that needs no profiles.
CPU seconds of this process and of the database stand beside the clock, which says little on a machine that others use.
"""

import argparse
import datetime as dt
import random
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from benchmarks.filled import filled
from benchmarks.load import server_cpu

from changke.foundation.database.connections import conninfo

AT_MOST_SECONDS = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=10_000_000)
    parser.add_argument("--changed", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--baseline", action="store_true", help="also by PostgreSQL alone")
    parser.add_argument("--reading", action="store_true", help="only reading their facts, out of both")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    server = arguments.folder / f"server_{arguments.customers}_{arguments.purchases}"
    dice, late = random.Random(arguments.seed), 0
    with filled(arguments.folder, arguments.customers, arguments.purchases):
        print(f"\n{'changed customers':36}{'seconds':>10}{'CPU process':>14}{'CPU database':>14}")
        for count in arguments.changed:
            for alone in (True, False) if arguments.baseline else (False,):
                ids = sorted(dice.sample(range(1, arguments.customers + 1), count))
                if arguments.reading:
                    _read(ids, server)
                    break
                for turn in ("", ", once more"):
                    wall = _measured(ids, server, alone=alone, turn=turn)
                    late += not alone and count <= 10_000 and wall > AT_MOST_SECONDS
    return int(late > 0)


def _measured(ids: list[int], server: Path, *, alone: bool, turn: str) -> float:
    from django.db import transaction  # noqa: PLC0415 -- Django is set up by then

    from changke.profiles.attributes.queries import last_bulk_run  # noqa: PLC0415
    from changke.profiles.lifecycle.services import refresh_customers  # noqa: PLC0415

    last = last_bulk_run()
    now = dt.datetime.combine(last.as_of if last else dt.date(2026, 11, 21), dt.time(12, tzinfo=dt.UTC))
    _record(ids, now)

    def refresh() -> str:
        if not alone:
            return str(refresh_customers(ids, now=now))
        # In a transaction of the caller's nobody but PostgreSQL sees what is there.
        done = []
        for start in range(0, len(ids), 1_000):
            with transaction.atomic():
                done.append(refresh_customers(ids[start : start + 1_000], now=now))
        return f"{sum(one.written for one in done)} written"

    return _timed(f"{len(ids):,}{' by PostgreSQL alone' if alone else ''}{turn}", refresh, server)


def _read(ids: list[int], server: Path) -> None:
    from changke.foundation.database.threads import side_by_side  # noqa: PLC0415 -- Django is set up by then
    from changke.profiles.attributes.services.mirrored import facts_in  # noqa: PLC0415
    from changke.profiles.attributes.services.several import facts_of  # noqa: PLC0415
    from changke.profiles.lifecycle.services.mirror import caught_up, mirror_file, open_mirror  # noqa: PLC0415

    def of_index(some: list[int]) -> int:
        with facts_of(some) as (duck, _):
            return _receipts(duck)

    def of_postgres() -> str:
        half = len(ids) // 2
        return f"{sum(side_by_side(of_index, (ids[:half], ids[half:]), workers=2)):,} receipts"

    def of_mirror() -> str:
        with caught_up(mirror_file()) as below:
            assert below is not None
            duck = facts_in(mirror_file(), ids)
        with duck:
            return f"{_receipts(duck):,} receipts"

    if not mirror_file().exists():
        with open_mirror(mirror_file()) as (_, copy):
            copy.sync(conninfo("reader"))
    _record(ids, dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC))
    for turn in ("", ", once more", ", a third time"):
        _timed(f"{len(ids):,} read of PostgreSQL{turn}", of_postgres, server)
        _timed(f"{len(ids):,} read of the mirror{turn}", of_mirror, server)


def _receipts(duck: duckdb.DuckDBPyConnection) -> int:
    return int(duck.execute("SELECT count(*) FROM facts_receipt WHERE withdrawn_by_id IS NULL").fetchall()[0][0])


def _timed(title: str, refresh: Callable[[], str], server: Path) -> float:
    before = time.perf_counter(), time.process_time(), server_cpu(server)
    done = refresh()
    after = time.perf_counter(), time.process_time(), server_cpu(server)
    wall, own, database = (b - a for a, b in zip(before, after, strict=True))
    print(f"{title:36}{wall:>10.2f}{own:>14.2f}{database:>14.2f}  {done}", flush=True)
    return wall


def _record(ids: list[int], now: dt.datetime) -> None:
    from django.db import connection  # noqa: PLC0415 -- Django is set up by then

    with connection.cursor() as sql:
        sql.execute(
            "INSERT INTO facts_receipt (kind, number, original_number, cash_minor, consumed_minor, margin_basis, items,"
            " source, customer_id, store_id, happened_at, business_date, recorded_at, source_key)"
            " SELECT 'sale', '', '', 10000, 10000, 'unknown', 1, 'bench', id, 1 + id %% 12, %s, %s, %s,"
            " gen_random_uuid() FROM unnest(%s::bigint[]) AS id",
            [now, now.date(), now, ids],
        )


if __name__ == "__main__":
    raise SystemExit(main())
