"""An installation is upgraded while others use its tables; what each migration makes them wait.

    python -m benchmarks.upgrade DATA_FOLDER

DATA_FOLDER is the data folder of an installation of an earlier version, and is upgraded for good: take a copy. Another
process asks every large table for the lock of a writer and reads a row of it, every 50 ms, and changes a customer, an
address and a profile by their ids (all of it rolled back). Fails where somebody waited for longer than a second.
"""

import argparse
import multiprocessing
import os
import random
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from changke.foundation.database import launcher

TABLES = [
    "facts_customer", "facts_identifier", "facts_tag", "facts_note", "facts_replaced", "facts_opening", "facts_receipt",
    "facts_line", "facts_tender", "facts_visit", "facts_event", "profiles_profile", "profiles_standing",
]  # fmt: skip
CHANGED = {"facts_customer": "id", "facts_identifier": "id", "profiles_profile": "customer_id"}
EVERY_SECONDS = 0.05
AT_MOST_SECONDS = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data.resolve()
    os.environ |= {"DATA_DIR": str(data), "DATABASE_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "changke.settings"}
    with launcher.running(data, say=print) as embedded:
        # The superuser: policies of rows may come while it looks.
        waits, steps = probed(embedded.connection("superuser", dbname="changke").conninfo)
    longest = {name: worst(waits, began, ended) for name, began, ended in steps}
    print(f"{len(waits):,} looks while {len(steps)} migrations ran; the longest wait of others during each:")
    for name, began, ended in steps:
        waited, table = longest[name]
        print(f"  {waited * 1000:7.0f} ms {table:<20} {name} ({ended - began:.1f} s)")
    over = max((waited for waited, _ in longest.values()), default=0.0)
    print(f"longest of all: {over * 1000:.0f} ms; at most {AT_MOST_SECONDS * 1000:.0f}")
    return int(over > AT_MOST_SECONDS)


def probed(conninfo: str) -> tuple[list[tuple[float, float, str]], list[tuple[str, float, float]]]:
    """Upgrade while another process looks: every wait of it (when it began, how long, for what), and every migration
    (its name, when it began and ended)."""
    own = multiprocessing.get_context("spawn")
    found: Any = own.Queue()
    ready, enough = own.Event(), own.Event()
    prober = own.Process(target=probe, args=(conninfo, found, ready, enough))
    prober.start()
    ready.wait(60)
    try:
        steps = upgrade()
    finally:
        enough.set()
        waits = found.get(timeout=120)
        prober.join(60)
    return waits, steps


def upgrade() -> list[tuple[str, float, float]]:
    import django  # noqa: PLC0415 -- settings read the environment that main sets

    django.setup()
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    from changke.interfaces.management.commands import prepare  # noqa: PLC0415

    steps: list[tuple[str, float, float]] = []
    apply_migration = MigrationExecutor.apply_migration

    def timed(self: Any, state: Any, migration: Any, **options: Any) -> Any:
        began = time.monotonic()
        try:
            return apply_migration(self, state, migration, **options)
        finally:
            steps.append((f"{migration.app_label}.{migration.name}", began, time.monotonic()))

    MigrationExecutor.apply_migration = timed  # type: ignore[assignment,method-assign]
    began = time.monotonic()
    prepare.migrate(print)
    last = steps[-1][2] if steps else began
    connection.close()
    return [*steps, ("row-level policies and content types", last, time.monotonic())]


def probe(conninfo: str, found: Any, ready: Event, enough: Event) -> None:
    """Look until it is enough. Writers of rows take ROW EXCLUSIVE; nothing is changed."""
    dice, waits = random.Random(1), []
    with psycopg.connect(conninfo) as others:
        customers = others.execute("SELECT max(id) FROM facts_customer").fetchone()[0] or 1  # type: ignore[index]
        others.rollback()
        ready.set()
        while not enough.is_set():
            for table in TABLES:
                began = time.monotonic()
                name = sql.Identifier(table)
                others.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(name))
                others.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(name)).fetchall()
                if key := CHANGED.get(table):
                    change = sql.SQL("UPDATE {table} SET {key} = {key} WHERE {key} = %s")
                    others.execute(change.format(table=name, key=sql.Identifier(key)), [dice.randint(1, customers)])
                others.rollback()
                waits.append((began, time.monotonic() - began, table))
            enough.wait(EVERY_SECONDS)
    found.put(waits)


def worst(waits: list[tuple[float, float, str]], began: float, ended: float) -> tuple[float, str]:
    """The longest wait that overlaps with this time, and for which table."""
    during = [(waited, table) for at, waited, table in waits if at < ended and at + waited > began]
    return max(during, default=(0.0, ""))


if __name__ == "__main__":
    raise SystemExit(main())
