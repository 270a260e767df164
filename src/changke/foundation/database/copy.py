"""Bulk COPY into PostgreSQL, the fast way in, for whoever owns the table; and out of it."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, transaction
from psycopg import sql

from changke.foundation.database.connections import conninfo

BLOCK_BYTES = 1 << 18
CHUNK_ROWS = 10_000
"""About a quarter of a second of COPY: no writing transaction lasts over a second, or every reader waits for it."""


def staging(table: str, columns: str) -> None:
    """An empty temporary table of this connection, kept between chunks so that only the first one creates it."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns})")
        cursor.execute(f"TRUNCATE {table}")


def copy_file(table: str, file: Path) -> None:
    """A CSV file without header, columns in the order of the table; an empty field without quotes is NULL."""
    statement = f"COPY {table} FROM STDIN (FORMAT csv)"
    with connection.cursor() as cursor, file.open("rb") as stream, cursor.copy(statement) as copy:
        while block := stream.read(BLOCK_BYTES):
            copy.write(block)


def copy_rows(table: str, rows: Iterable[Sequence[Any]], *, columns: Sequence[str] = ()) -> None:
    """Python rows, columns in the order of the table or as named."""
    named = f" ({', '.join(columns)})" if columns else ""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table}{named} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def copy_out(statement: str, file: Path) -> None:
    """What a `COPY ... TO STDOUT` answers, as the reader who sees every store, into a file."""
    with (
        psycopg.connect(conninfo("reader")) as reader,
        reader.cursor() as cursor,
        cursor.copy(statement) as copy,
        file.open("wb") as out,
    ):
        for block in copy:
            out.write(block)


def array_text(texts: Iterable[str]) -> str:
    """A list of texts as PostgreSQL reads it. A column of lists goes over three times as fast in this form as by the
    driver, which looks at each list for what is in it."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


def reserve_ids(table: str, count: int) -> list[int]:
    """The next `count` ids of the table's sequence: nobody else gets them, used or not."""
    if count == 0:
        return []
    with connection.cursor() as cursor:
        # The sequence is found once, not for each id: finding it costs far more than counting on.
        cursor.execute(
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id'))::regclass) FROM generate_series(1, %s)",
            [table, count],
        )
        return [int(row[0]) for row in cursor.fetchall()]


def copy_columns(
    table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, advance: Callable[[int], None] | None = None
) -> int:
    """COPY the rows in chunks, each its own transaction unless one is open; how many there were."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    places = {"table": sql.Identifier(table), "waiting": sql.Identifier(f"waiting_{table}"), "names": names}
    # PostgreSQL copies into no table with row-level security; from a temporary one, INSERT asks the policy.
    prepare = sql.SQL("CREATE TEMPORARY TABLE IF NOT EXISTS {waiting} AS SELECT {names} FROM {table} LIMIT 0")
    fill = sql.SQL("COPY {waiting} ({names}) FROM STDIN").format(**places)
    take = sql.SQL("INSERT INTO {table} ({names}) SELECT {names} FROM {waiting}").format(**places)
    stream, total = iter(rows), 0
    while chunk := list(islice(stream, CHUNK_ROWS)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(prepare.format(**places))
            with cursor.copy(fill) as copy:
                for row in chunk:
                    copy.write_row(row)
            cursor.execute(take)
            cursor.execute(sql.SQL("DROP TABLE {waiting}").format(**places))
        total += len(chunk)
        if advance:
            advance(len(chunk))
    return total
