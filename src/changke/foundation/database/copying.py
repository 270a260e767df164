"""Whole columns into a table by COPY, and the ids for them beforehand."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from django.db import connection
from psycopg import sql

CHUNK_ROWS = 10_000
"""About a quarter of a second of COPY: no writing transaction lasts over a second, or every reader waits for it."""


def reserve_ids(table: str, count: int) -> list[int]:
    """The next `count` ids of the table's sequence: nobody else gets them, used or not."""
    if count == 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')::regclass) FROM generate_series(1, %s)", [table, count]
        )
        return [int(row[0]) for row in cursor.fetchall()]


def copy_rows(
    table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, advance: Callable[[int], None] | None = None
) -> int:
    """COPY the rows in chunks, each its own transaction unless one is open; how many there were."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    stream, total = iter(rows), 0
    while chunk := list(islice(stream, CHUNK_ROWS)):
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in chunk:
                copy.write_row(row)
        total += len(chunk)
        if advance:
            advance(len(chunk))
    return total
