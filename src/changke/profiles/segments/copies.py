"""The copy that segments are counted from: written from one moment of PostgreSQL, opened by every process.
docs/decisions/0077, 0098, 0100

A DuckDB file with the profiles by column, and folders with what everybody did. None of them is ever changed: a new file
takes the place of the old one by a rename, and says which folders belong to it. One writes at a time, whatever process
or thread it is of.
"""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
import datetime as dt
import fcntl
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings
from django.db import connection

from changke.engine.mirror import reading
from changke.foundation.cursors import Window
from changke.foundation.database.connections import conninfo
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.profiles.attributes.models import BulkRun, Profile
from changke.profiles.attributes.queries import last_bulk_run
from changke.profiles.lifecycle.services.changes import read_from, touched
from changke.profiles.segments.asking import CARD
from changke.profiles.segments.windows import renewal
from changke.profiles.segments.windows.answers import Answers
from changke.profiles.value.services.marks import UNDER_WAY, everybody_in, predicted_from

WORTH_IT = 50_000
"""Customers from which on there is a copy: below, PostgreSQL answers in a few milliseconds."""

RENEWED_FROM = 1_000
"""Customers with a fact since the copy from which on it is written anew."""

OWN = {"facts_fieldvalue": "custom_", "live.scores": "score_"}
"""What the chain's own fields and scores are read from, by the beginning of their columns' names. Copied as it is, so
that their definitions are asked of it."""


PREDICTED = ("p_active_bp", "expected_purchases_milli", "expected_spend_minor")
"""What is expected of each, unknown of whoever never bought. Lists are put in order by them."""


def folder() -> Path:
    return Path(settings.DATA_DIR) / "analytics"


def copy_columns() -> int:
    """Write the copy anew, if it is worth while; how many customers stand in it. Readers go on with the old one.

    Waits for whoever is writing it.
    """
    if _worth_it() is None:
        return 0
    with _alone():
        run = _worth_it()
        return _copied(run) if run is not None else 0


def renew_if_due() -> int:
    """Write the copy anew where it is of another night or many had a fact since; how many customers stand in it."""
    run = _worth_it()
    if run is None or not _is_due(run):
        return 0
    with _alone():
        run = _worth_it()  # somebody else may have written it while we waited
        return _copied(run) if run is not None and _is_due(run) else 0


def _worth_it() -> BulkRun | None:
    run = last_bulk_run()
    return run if run is not None and run.customers >= WORTH_IT else None


def _is_due(run: BulkRun) -> bool:
    copy, most = latest(), RENEWED_FROM + 1
    if copy is None or copy.run != named(run) or everybody_in() not in {copy.predicted, UNDER_WAY}:
        return True
    # Where predictions have followed no further, a new copy would be as far behind.
    behind = predicted_from() > copy.expected_since
    return len(changed_since(copy, most, own=tuple(OWN), expected=behind)) >= most


@contextmanager
def _alone() -> Iterator[None]:
    """One writer at a time: a lock of the file is held by whoever opened it, so that threads wait as processes do."""
    folder().mkdir(parents=True, exist_ok=True)
    lock = os.open(folder() / "columns.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _copied(run: BulkRun) -> int:
    """Write the copy, alone. Marks are read before the moment that is copied: it knows no less than they say."""
    since, expected_since, predicted, before = read_from(), predicted_from(), everybody_in(), latest()
    _take_away_unfinished()
    renewal.tidy(folder(), before.told if before is not None else renewal.Told())
    told = before.told if before is not None and before.run == named(run) else renewal.Told()
    # Asked after `since` was read: of everything before it, nobody is missing.
    changed = _changed_since(told.since, renewal.MOST_AGAIN + 1) if told.base else None
    if changed is not None and len(changed) > renewal.MOST_AGAIN:
        changed = None
    unfinished = folder() / f".columns-{os.getpid()}-{secrets.token_hex(4)}.duckdb"
    try:
        with reading(conninfo("reader")) as source, duckdb.connect(str(unfinished)) as duck:
            [(below,)] = _received(source, duck, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            count = _write_profiles(source, duck)
            name = _name(below)
            told = renewal.renewed(folder(), source, told, changed, below=below, name=name)
            duck.execute(
                "CREATE TABLE about (since BIGINT, run TEXT, expected_since BIGINT, predicted BIGINT,"
                " base TEXT, base_since BIGINT, again TEXT)"
            )
            about = [min(since, below), named(run), min(expected_since, below), predicted]
            duck.execute("INSERT INTO about VALUES (?, ?, ?, ?, ?, ?, ?)", [*about, told.base, told.since, told.again])
        file = folder() / f"columns-{name}.duckdb"
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    for old in folder().glob("columns-*.duckdb"):
        if old != file:
            old.unlink(missing_ok=True)  # whoever has it open goes on reading it
    renewal.tidy(folder(), told)
    return count


def _name(below: int) -> str:
    """Behind every name there is: two copies may be of one `below` while a transaction stays open, and after a restore
    transaction ids are smaller than before it."""
    names = [
        one.stem.rpartition("-")[2] for kind in ("columns", "deeds", "again") for one in folder().glob(f"{kind}-*")
    ]
    return f"{max([below, *(int(name) + 1 for name in names if name.isdigit())]):020}"


def _take_away_unfinished() -> None:
    """What somebody who was killed while writing left behind. We are alone: nobody is writing it now."""
    for left in (*folder().glob(".columns-*"), *folder().glob(".sorting-*")):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _write_profiles(source: Any, duck: duckdb.DuckDBPyConnection) -> int:
    """Profiles with what stands on the card; and what own fields and scores say."""
    columns = ", ".join(f"one.{field.column}" for field in Profile._meta.concrete_fields)
    texts = {name: f"NULLIF(card.{name}, '')" for name, (kind, _) in CARD.items() if kind == "text"}
    cards = ", ".join(f"{texts.get(name, f'card.{name}')} AS card_{name}" for name in CARD)
    expected = ", ".join(f"expected.{name}" for name in PREDICTED)
    _received(
        source, duck, f"SELECT {columns}, {cards}, {expected} FROM profiles_profile AS one JOIN facts_customer AS card"
        " ON card.id = one.customer_id LEFT JOIN profiles_prediction AS expected"
        " ON expected.customer_id = one.customer_id ORDER BY one.customer_id",
        "CREATE TABLE profiles_profile AS",
    )  # fmt: skip
    duck.execute("CREATE SCHEMA live")
    for table in OWN:
        what = "customer_id, field_id, text, number, day" if table == "facts_fieldvalue" else "*"
        _received(source, duck, f"SELECT {what} FROM {table}", f"CREATE TABLE {table} AS")
    return int(duck.execute("SELECT COUNT(*) FROM profiles_profile").fetchall()[0][0])


def _received(source: Any, duck: duckdb.DuckDBPyConnection, query: str, first: str = "") -> list[tuple[Any, ...]]:
    source.execute(query)
    duck.register("incoming", source.fetch_arrow())
    try:
        return duck.execute(f"{first} SELECT * FROM incoming").fetchall()
    finally:
        duck.unregister("incoming")


@dataclass(frozen=True)
class Copy:
    """The copy, opened for reading."""

    file: Path
    duck: duckdb.DuckDBPyConnection
    since: int
    """Everything that was followed before this transaction is in its profiles."""
    run: str
    """Of which computation of everybody it is."""
    expected_since: int
    """Everything that was followed before this transaction is in its predictions."""
    predicted: int | None
    """Which run over everybody its predictions are of, as `everybody_in` said before they were copied."""
    told: renewal.Told
    deeds: Answers | None

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self.duck.cursor()


_open: list[Copy] = []
_lock = threading.Lock()


def latest() -> Copy | None:
    """The newest copy there is, opened once per process."""
    names = sorted(folder().glob("columns-*.duckdb"))
    if not names:
        return None
    with _lock:
        if _open and _open[0].file == names[-1]:
            return _open[0]
        with suppress(duckdb.Error, OSError):  # it may just have been taken away, or be of a newer DuckDB
            duck = duckdb.connect(str(names[-1]), read_only=True, config={"threads": 2, "memory_limit": "512MB"})
            # An older one says less of itself: it is as if there were none.
            said = duck.execute("SELECT since, run, expected_since, predicted, base, base_since, again FROM about")
            [(since, run, expected_since, predicted, *told)] = said.fetchall()
            duck.execute(f"SELECT {', '.join(PREDICTED)} FROM profiles_profile LIMIT 0")
            where = renewal.Told(*told)
            deeds = renewal.answers(folder(), where)
            _open[:] = [Copy(names[-1], duck, since, run, expected_since, predicted, where, deeds)]
            return _open[0]
    return None


def named(run: BulkRun) -> str:
    return f"{run.snapshot} {run.finished_at.isoformat()}"


def is_of_the_last_run(copy: Copy) -> bool:
    """Whether its predictions are those of the last run over everybody, and none is writing others."""
    return copy.predicted == everybody_in() != UNDER_WAY


def changed_since(copy: Copy, most: int, *, own: tuple[str, ...] = (), expected: bool = False) -> list[int]:
    """At most so many of whoever had a fact since the copy, in whatever store: her profile may be another one now.
    With `own` also of whom an own field or a score says something else since; with `expected` also of whom something
    else is expected."""
    found = set(_changed_since(min(copy.since, copy.expected_since) if expected else copy.since, most))
    for table in own:
        if len(found) < most:
            found |= _said_since(table, copy.since, most)
    return sorted(found)[:most]


def _changed_since(txid: int, most: int) -> list[int]:
    with seeing(CHAIN_WIDE):
        return sorted(touched(Window(txid, 2**62), late_before=dt.date.min, limit=most))


SAID = {
    "facts_fieldvalue": "SELECT customer_id FROM facts_fieldvalue WHERE txid >= %(since)s::text::xid8",
    "live.scores": (
        "SELECT CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END"
        " FROM facts_scorevalue AS said JOIN facts_customer AS record ON record.id = said.customer_id"
        " WHERE said.txid >= %(since)s::text::xid8"
    ),
}


def _said_since(table: str, txid: int, most: int) -> set[int]:
    with seeing(CHAIN_WIDE), connection.cursor() as sql:
        sql.execute(
            f"SELECT DISTINCT * FROM ({SAID[table]}) AS said LIMIT %(most)s", {"since": str(txid), "most": most}
        )
        return {customer for (customer,) in sql.fetchall()}
