"""What the last night wrote of everybody, as one number each: so that the next one writes in full only what differs.

From one night to the next, nearly everybody differs from herself by the days of silence alone (`PASSING`). Beside the
mirror stands a hash of all the rest of her row, stages included, as the last night handed it to PostgreSQL. Whose hash
is the same, and of whom nothing new was noted since, needs those few columns only: an update of them, without reading
or judging the others. Everybody else, and whoever has no row to update, is written as ever.

The hashes belong to one run. They are forgotten before the first row of another is written and count again when it has
ended, so after a run that broke off, one that was computed elsewhere, or a restored database, all are written in full.
"""

# ruff: noqa: S608 -- the names in the statements are our own
import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import duckdb
from django.db import connection, transaction

from changke.engine.engines import duckdb as on_duckdb
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.attributes.models import BulkRun
from changke.profiles.attributes.services.lasting import SCHEMA, UNWRITTEN

PASSING = ("silent_days", "silence_percent_of_gap", "overdue_days")
"""What the mere passing of a night changes."""

WRITTEN = f"{SCHEMA}.written"
MARK = f"{SCHEMA}.written_by"

BLOCK = 10_000
"""Rows of one narrow update: some 0.2 s on two quiet cores."""

PREPARE = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS passing (
  customer_id bigint NOT NULL, {", ".join(f"{name} bigint" for name in PASSING)}
) ON COMMIT DELETE ROWS;
DELETE FROM passing;
"""
UPDATE = f"""
UPDATE profiles_profile AS kept
SET as_of = %(day)s, snapshot = %(snapshot)s, {", ".join(f"{name} = passing.{name}" for name in PASSING)}
FROM passing
WHERE kept.customer_id = passing.customer_id AND kept.snapshot <= %(snapshot)s AND kept.as_of <= %(day)s
  AND (kept.as_of, {", ".join(f"kept.{name}" for name in PASSING)})
    IS DISTINCT FROM (%(day)s::date, {", ".join(f"passing.{name}" for name in PASSING)})
"""
WITHOUT_ROW = """
SELECT customer_id FROM passing
WHERE NOT EXISTS (SELECT 1 FROM profiles_profile AS kept WHERE kept.customer_id = passing.customer_id)
"""


def is_known(duck: duckdb.DuckDBPyConnection, run: BulkRun | None) -> bool:
    """Whether the hashes are those of this run, the last one that ended."""
    if run is None or not on_duckdb.has_table(duck, MARK):
        return False
    return duck.execute(f"SELECT snapshot, version FROM {MARK}").fetchall() == [(run.snapshot, run.version_id)]


def forget(duck: duckdb.DuckDBPyConnection) -> None:
    """From here on rows of another run may stand in PostgreSQL."""
    duck.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}; DROP TABLE IF EXISTS {MARK}")
    duck.execute("CREATE OR REPLACE TEMP TABLE told (customer_id BIGINT, told UBIGINT)")


def note(duck: duckdb.DuckDBPyConnection, customer_ids: Sequence[int]) -> None:
    """What stands of these in PostgreSQL may be another's doing: the mirror does not note whom a score speaks of."""
    duck.execute(f"CREATE TABLE IF NOT EXISTS {UNWRITTEN} (customer_id BIGINT)")
    duck.execute(f"INSERT INTO {UNWRITTEN} SELECT unnest($1::BIGINT[])", [list(customer_ids)])


def split(duck: duckdb.DuckDBPyConnection, stages: Sequence[str], *, known: bool) -> None:
    """Note the hash of every row of `fresh`, and put whoever must be written in full into `in_full`."""
    same = [name for name in (*COLUMNS, *stages) if name not in PASSING]
    duck.execute(f"INSERT INTO temp.told SELECT customer_id, hash({', '.join(same)}) FROM fresh")
    if not known:
        duck.execute("CREATE OR REPLACE TEMP TABLE in_full AS SELECT customer_id FROM fresh")
        return
    duck.execute(f"""
        CREATE OR REPLACE TEMP TABLE in_full AS
        SELECT told.customer_id FROM temp.told LEFT JOIN {WRITTEN} AS written ON written.customer_id = told.customer_id
        WHERE written.told IS DISTINCT FROM told.told
        UNION SELECT customer_id FROM {UNWRITTEN}""")


def remember(duck: duckdb.DuckDBPyConnection, run: BulkRun) -> None:
    """The run has ended: what it told is what stands there."""
    duck.execute(f"CREATE OR REPLACE TABLE {WRITTEN} AS SELECT * FROM temp.told")
    duck.execute(f"CREATE OR REPLACE TABLE {UNWRITTEN} (customer_id BIGINT)")
    duck.execute(f"CREATE OR REPLACE TABLE {MARK} AS SELECT {run.snapshot} AS snapshot, {run.version_id} AS version")
    duck.execute("DROP TABLE temp.told; DROP TABLE temp.in_full")


def passing(duck: duckdb.DuckDBPyConnection) -> Iterator[list[bytes]]:
    """The rows that need the passing columns only, in the order of their ids, in blocks."""
    return lines_of(
        duck,
        f"SELECT customer_id, {', '.join(PASSING)} FROM fresh"
        " WHERE customer_id NOT IN (SELECT customer_id FROM temp.in_full) ORDER BY customer_id",
        BLOCK,
    )


def lines_of(duck: duckdb.DuckDBPyConnection, query: str, at_a_time: int) -> Iterator[list[bytes]]:
    """The rows as lines of CSV that PostgreSQL reads as they are: no value passes through Python."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        duck.execute(f"COPY ({query}) TO '{file}' (FORMAT csv, HEADER false)")
        with file.open("rb") as lines:
            while some := list(islice(lines, at_a_time)):
                yield some


def update(lines: list[bytes], *, day: dt.date, snapshot: int) -> tuple[int, list[int]]:
    """Write the passing columns of a block. Returns how many rows took them, and who has no row."""
    values: dict[str, dt.date | int] = {"day": day, "snapshot": snapshot}
    with transaction.atomic(), connection.cursor() as sql:
        sql.execute(PREPARE)
        with sql.copy(f"COPY passing (customer_id, {', '.join(PASSING)}) FROM STDIN (FORMAT csv)") as copy:
            copy.write(b"".join(lines))
        sql.execute("ANALYZE passing")
        sql.execute(UPDATE, values)
        written = int(sql.rowcount)
        if written == len(lines):
            return written, []
        sql.execute(WITHOUT_ROW)
        return written, [customer for (customer,) in sql.fetchall()]
