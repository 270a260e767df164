"""Bulk COPY into PostgreSQL: the fast way in, for whoever owns the table."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.db import connection

BLOCK_BYTES = 1 << 18


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


def copy_rows(table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Python rows, columns in the order of the table."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
