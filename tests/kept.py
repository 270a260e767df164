"""What many tests begin with is built once in a run; later it comes back from memory, as rows and as objects.

`@keeping` on a builder: the first call writes by the services of the product and keeps all rows of every table it
touched. Each further call puts those rows back, under the same numbers, in a tenth of the time. The number of the
transaction is left out of them, so that whoever asks what is new since then finds them new.

`clear` empties what tests committed, and no more: most tables are empty anyway.
"""

import functools
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import psycopg
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

P = ParamSpec("P")
T = TypeVar("T")

WRITTEN = """
    SELECT relid, n_tup_ins, n_tup_del, n_tup_upd FROM pg_stat_xact_user_tables WHERE schemaname = 'public'"""
COLUMNS = """
    SELECT attname FROM pg_attribute
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      AND coalesce(pg_get_expr(adbin, adrelid), '') NOT LIKE '%%pg_current_xact_id%%'
    ORDER BY attnum"""
FILLED = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0"""
OF_THE_MIGRATIONS = {"auth_permission", "django_content_type", "django_migrations"}


@dataclass(frozen=True)
class Rows:
    """All rows of one table, as they were when the builder had finished."""

    table: sql.Composed
    columns: sql.Composed
    data: bytes
    before: int
    """How many it had when the builder began."""


_kept: dict[tuple[str, ...], tuple[list[Rows], bytes]] = {}


def keeping(build: Callable[P, T]) -> Callable[P, T]:
    """Build once, repeat from memory: whatever stands in these tables is replaced, so it must be the same each time.
    What was built with other numbers or words is remembered apart."""

    @functools.wraps(build)
    def built(*args: P.args, **kwargs: P.kwargs) -> T:
        asked = [str(one) for one in (*args, *kwargs.values()) if isinstance(one, int | str)]
        name = (build.__module__, build.__qualname__, settings.MASTER_KEY, *asked)
        with transaction.atomic():
            if name in _kept:
                rows, told = _kept[name]
                with _unchecked() as server:
                    _put_back(server, rows, what=".".join(name[:2]))
                return pickle.loads(told)  # type: ignore[no-any-return]
            before = _written()
            result = build(*args, **kwargs)
            touched = {table: rows for table, rows in _written().items() if rows != before.get(table)}
            with _unchecked() as server:
                more = {table: _more(before.get(table, (0, 0, 0)), rows) for table, rows in touched.items()}
                _kept[name] = [_rows(server, table, more[table]) for table in touched], pickle.dumps(result)
        return result

    return built


def clear() -> None:
    """Take away what was committed. The counters go on, as they do when a transaction is rolled back."""
    with transaction.atomic(), _unchecked() as server:
        for (table,) in server.execute(FILLED).fetchall():
            if table not in OF_THE_MIGRATIONS:
                server.execute(f"DELETE FROM {table}")


Written = tuple[int, int, int]
"""Rows put in, taken out and changed."""


def _written() -> dict[int, Written]:
    """What this transaction has done to which tables until now."""
    return {table: tuple(rows) for table, *rows in connection.connection.execute(WRITTEN).fetchall()}


def _more(before: Written, after: Written) -> int:
    return (after[0] - after[1]) - (before[0] - before[1])


@contextmanager
def _unchecked() -> Iterator[psycopg.Connection[Any]]:
    """As the server's superuser and without triggers: what these rows must fulfil they have fulfilled once."""
    server: psycopg.Connection[Any] = connection.connection
    [(role,)] = server.execute("SELECT current_setting('role')").fetchall()
    server.execute("SET LOCAL ROLE NONE; SET LOCAL session_replication_role = replica")
    yield server
    server.execute("SET LOCAL session_replication_role = origin")
    server.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))


def _rows(server: psycopg.Connection[Any], table: int, more: int) -> Rows:
    [(name,)] = server.execute("SELECT relname FROM pg_class WHERE oid = %s", [table]).fetchall()
    columns = sql.SQL(", ").join(sql.Identifier(column) for (column,) in server.execute(COLUMNS, [table]))
    place = sql.SQL("{}").format(sql.Identifier(name))
    with server.cursor() as cursor, cursor.copy(sql.SQL("COPY {} ({}) TO STDOUT").format(place, columns)) as copy:
        data = b"".join(map(bytes, copy))
    return Rows(place, columns, data, before=data.count(b"\n") - more)


def _put_back(server: psycopg.Connection[Any], kept: list[Rows], *, what: str) -> None:
    """Emptied all at once: twenty tables need not be twenty questions."""
    cursor = server.execute(sql.SQL(";").join(sql.SQL("DELETE FROM {}").format(rows.table) for rows in kept))
    for rows in kept:
        there = cursor.rowcount
        assert there == rows.before, f"{what} was built upon {rows.before} rows of {rows.table}, not upon {there}"
        cursor.nextset()
    for rows in kept:
        if rows.data:
            into = sql.SQL("COPY {} ({}) FROM STDIN").format(rows.table, rows.columns)
            with cursor.copy(into) as copy:
                copy.write(rows.data)
