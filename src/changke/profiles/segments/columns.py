"""Everybody's profile column by column, beside the rows of PostgreSQL: five numbers are asked of five columns, where a
row has ninety. docs/decisions/0077

The copy is a DuckDB file that is written anew after every computation of everybody and never changed. Whoever had a
fact since is left out of it and asked of PostgreSQL, so that the answer is that of PostgreSQL at every moment; and so
is everybody where there is no copy, or one of another night. Questions beyond the profile (tags, consents, deeds) stay
with PostgreSQL too: each is a set of customers, handed over as ids.
"""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
import datetime as dt
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from django.conf import settings
from django.db import connection
from numpy.typing import NDArray
from sqlglot import exp

from changke.engine.mirror import reading
from changke.foundation.cursors import Window
from changke.foundation.database.connections import conninfo
from changke.foundation.database.rows_seen import now_seen, seeing
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.attributes.models import Profile
from changke.profiles.attributes.queries import last_bulk_run
from changke.profiles.conditions import Condition
from changke.profiles.lifecycle.services.changes import read_from, touched
from changke.profiles.segments.asking import FROM, STAGE, Words, bound, column_of, question, today_of

WORTH_IT = 50_000
"""Customers from which on there is a copy: below, PostgreSQL answers in a few milliseconds."""

MOST_CHANGED = 2_000
"""Customers with a fact since the copy up to which it is asked: so many more are 30 ms of PostgreSQL."""

RENEWED_FROM = 1_000
"""Customers with a fact since the copy from which on it is written anew."""

PROFILE = frozenset({*REGISTRY.attributes, STAGE})
"""What stands in the profile itself; everything else that has one value per customer is asked of PostgreSQL."""

Ids = NDArray[np.int64]


def folder() -> Path:
    return Path(settings.DATA_DIR) / "analytics"


def copy_columns() -> int:
    """Write the copy anew, if it is worth while; how many customers stand in it. Readers go on with the old one."""
    run = last_bulk_run()
    if run is None or run.customers < WORTH_IT:
        return 0
    since = read_from()
    folder().mkdir(parents=True, exist_ok=True)
    unfinished = folder() / f".columns-{os.getpid()}.duckdb"
    unfinished.unlink(missing_ok=True)
    try:
        with reading(conninfo("reader")) as source, duckdb.connect(str(unfinished)) as duck:
            source.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS below")
            duck.register("incoming", source.fetch_arrow())
            [(below,)] = duck.execute("SELECT below FROM incoming").fetchall()
            source.execute(f"SELECT {', '.join(_columns())} FROM profiles_profile ORDER BY customer_id")
            duck.register("incoming", source.fetch_arrow())
            duck.execute("CREATE TABLE profiles_profile AS SELECT * FROM incoming")
            duck.unregister("incoming")
            duck.execute("CREATE TABLE about (since BIGINT, run TEXT)")
            duck.execute("INSERT INTO about VALUES (?, ?)", [min(since, below), _named(run)])
            count = int(duck.execute("SELECT COUNT(*) FROM profiles_profile").fetchall()[0][0])
        unfinished.replace(folder() / f"columns-{below:020}.duckdb")
    finally:
        unfinished.unlink(missing_ok=True)
    for old in sorted(folder().glob("columns-*.duckdb"))[:-1]:
        old.unlink(missing_ok=True)  # whoever has it open goes on reading it
    return count


def renew_if_due() -> int:
    """Write the copy anew where it is of another night or many had a fact since; how many customers stand in it."""
    run = last_bulk_run()
    if run is None or run.customers < WORTH_IT:
        return 0
    copy = _latest()
    if copy is not None and copy.run == _named(run) and len(_changed(copy, RENEWED_FROM + 1)) <= RENEWED_FROM:
        return 0
    return copy_columns()


def count(condition: Condition | None, words: Words, *, now: dt.datetime, scope: Scope) -> int | None:
    """How many it fits; None where PostgreSQL has to be asked."""
    asked = _asked(condition, words, now=now, scope=scope)
    if asked is None:
        return None
    [(found,)] = asked.copied("SELECT COUNT(*)")
    return int(found) + (int(asked.changed("COUNT(*)")[0][0]) if asked.ids else 0)


def sample(condition: Condition, words: Words, *, now: dt.datetime, scope: Scope, most: int) -> list[int] | None:
    """A few of them, the most valuable first; None where PostgreSQL has to be asked."""
    asked = _asked(condition, words, now=now, scope=scope)
    if asked is None:
        return None
    order = f" ORDER BY value_at_risk DESC NULLS FIRST, customer_id LIMIT {int(most)}"
    rows = asked.copied("SELECT value_at_risk, customer_id", order)
    rows += asked.changed("value_at_risk, customer_id") if asked.ids else []
    # PostgreSQL puts what is unknown first where it counts down.
    rows.sort(key=lambda row: (row[0] is not None, -(row[0] or 0), row[1]))
    return [int(pk) for _, pk in rows[:most]]


def everybody(condition: Condition, words: Words, *, now: dt.datetime) -> Ids | None:
    """The ids of all whom it fits, in order; None where PostgreSQL has to be asked."""
    with seeing(CHAIN_WIDE):
        asked = _asked(condition, words, now=now, scope=CHAIN_WIDE)
        if asked is None:
            return None
        found = asked.cursor.execute(asked.statement("SELECT customer_id"), asked.values).fetchnumpy()["customer_id"]
        late = [pk for (pk,) in asked.changed("customer_id")] if asked.ids else []
    return np.sort(np.concatenate((np.ma.getdata(found).astype(np.int64), np.array(late, np.int64))))


@dataclass(frozen=True)
class Asked:
    """A question, ready for the copy and for PostgreSQL."""

    condition: Condition | None
    words: Words
    today: dt.date
    scope: Scope
    ids: Sequence[int]
    """Customers with a fact since the copy: PostgreSQL is asked about them."""
    cursor: duckdb.DuckDBPyConnection
    where: str
    values: Mapping[str, Any]

    def statement(self, what: str, after: str = "") -> str:
        return f"{what} FROM {FROM} WHERE {self.where}{after}"

    def copied(self, what: str, after: str = "") -> list[tuple[Any, ...]]:
        return self.cursor.execute(self.statement(what, after), self.values).fetchall()

    def changed(self, what: str) -> list[tuple[Any, ...]]:
        said = question(self.condition, self.words, today=self.today, scope=self.scope, ids=self.ids)
        with connection.cursor() as sql:
            sql.execute(f"SELECT {what} FROM {FROM} WHERE {said.where}", said.values)
            return list(sql.fetchall())


def _asked(condition: Condition | None, words: Words, *, now: dt.datetime, scope: Scope) -> Asked | None:
    if condition is not None and not PROFILE.issuperset(condition.attributes):
        return None
    copy, run = _latest(), last_bulk_run()
    if copy is None or run is None or copy.run != _named(run):
        return None
    ids = _changed(copy, MOST_CHANGED + 1)
    if len(ids) > MOST_CHANGED:
        return None
    today, seen = today_of(the_chain(), now), now_seen()
    if scope.by_person or seen.by_person:
        return None  # the copy knows homes, neither visits nor who is her adviser this minute
    cursor = copy.cursor()
    where, values = _over_columns(condition, words, cursor, today)
    for name, some in (("only_stores", scope.store_ids), ("seen_stores", seen.store_ids)):
        if some is not None:
            where += f" AND list_contains(${name}::BIGINT[], one.home_store_id)"
            values[name] = sorted(some)
    if ids:
        cursor.register("changed_since", {"customer_id": np.array(ids, np.int64)})
        where += " AND one.customer_id NOT IN (SELECT customer_id FROM changed_since)"
    return Asked(condition, words, today, scope, ids, cursor, where, values)


def _over_columns(
    condition: Condition | None, words: Words, cursor: duckdb.DuckDBPyConnection, today: dt.date
) -> tuple[str, dict[str, Any]]:
    """The condition over the copy; what lies beyond the profile as sets that PostgreSQL made."""
    if condition is None:
        return "TRUE", {}
    asked = condition.sql(lambda name: column_of(name, words))
    for place, inside in enumerate(list(asked.find_all(exp.In))):
        query = inside.args.get("query")
        if query is None or (isinstance(query.this, exp.Select) and query.this.find(exp.Unnest)):
            continue  # a list of values
        name = f"set_{place}"
        cursor.register(name, {"customer_id": _set(query.this, condition, today)})
        only = exp.select("customer_id").from_(exp.to_table(name))
        inside.set("query", only.subquery())
    said = bound(asked, condition, today=today, engine="duckdb")
    return f"({said.where})", dict(said.values)  # an "or" stays together where more is asked beside it


def _set(query: exp.Expr, condition: Condition, today: dt.date) -> Ids:
    said = bound(query, condition, today=today, engine="postgres")
    return ids_of(said.where, said.values)


def ids_of(query: str, values: Mapping[str, Any]) -> Ids:
    """The ids that a query of one column finds, packed into one value by the database: five million of them are no
    objects of Python's."""
    packed = "SELECT string_agg(int8send(found.id::bigint), ''::bytea) FROM"
    with connection.cursor() as sql:
        sql.execute(f"{packed} ({query}) AS found (id) WHERE found.id IS NOT NULL", values)
        answer = sql.fetchone()[0]
    return np.frombuffer(answer or b"", ">i8").astype(np.int64)


def _changed(copy: "Copy", most: int) -> list[int]:
    """Whoever had a fact since the copy, in whatever store: her profile may have been computed again."""
    with seeing(CHAIN_WIDE):
        return sorted(touched(Window(copy.since, 2**62), late_before=dt.date.min, limit=most))


@dataclass(frozen=True)
class Copy:
    """The copy, opened for reading."""

    file: Path
    duck: duckdb.DuckDBPyConnection
    since: int
    """Everything that was followed before this transaction is in it."""
    run: str
    """Of which computation of everybody it is."""

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self.duck.cursor()


_open: list[Copy] = []
_lock = threading.Lock()


def _latest() -> Copy | None:
    """The newest copy there is, opened once per process."""
    names = sorted(folder().glob("columns-*.duckdb"))
    if not names:
        return None
    with _lock:
        if _open and _open[0].file == names[-1]:
            return _open[0]
        with suppress(duckdb.Error, OSError):  # it may just have been taken away, or be of a newer DuckDB
            duck = duckdb.connect(str(names[-1]), read_only=True, config={"threads": 2, "memory_limit": "512MB"})
            [(since, run)] = duck.execute("SELECT since, run FROM about").fetchall()
            _open[:] = [Copy(names[-1], duck, since, run)]
            return _open[0]
    return None


def _named(run: Any) -> str:
    return f"{run.snapshot} {run.finished_at.isoformat()}"


def _columns() -> list[str]:
    return [str(field.column) for field in Profile._meta.concrete_fields]
