"""Parquet, through DuckDB: typed at the source, so its values arrive as their plain text."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.sheets import RawRow, Sheet

KEY = "parquet"
PRIORITY = 10
ROWS_AT_ONCE = 5_000


def recognises(head: bytes) -> bool:
    return head.startswith(b"PAR1")


def read(path: Path, *, name: str, encoding: str | None) -> Iterator[Sheet]:
    connection = duckdb.connect(config={"memory_limit": "128MB", "threads": "1"})
    try:
        columns = [
            str(column[0]) for column in connection.execute("DESCRIBE FROM read_parquet(?)", [str(path)]).fetchall()
        ]
        connection.execute("SELECT COLUMNS(*)::VARCHAR FROM read_parquet(?)", [str(path)])
    except duckdb.Error as error:
        connection.close()
        raise UnreadableFile("file_cut_off", file=name) from error
    yield Sheet(name="", rows=_rows(connection, columns, name), strict_width=False)


def _rows(connection: duckdb.DuckDBPyConnection, columns: list[str], name: str) -> Iterator[RawRow]:
    """The header is row 1, as it would be had the file been written as CSV."""
    yield 1, columns, ""
    line = 1
    try:
        while rows := connection.fetchmany(ROWS_AT_ONCE):
            for row in rows:
                line += 1
                yield line, ["" if cell is None else cell for cell in row], ""
    except duckdb.Error as error:
        raise UnreadableFile("file_cut_off", file=name) from error
    finally:
        connection.close()
