"""Parquet for analysts: typed, compressed, written by DuckDB from a stream. Money stays in minor units."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from changke.interfaces.exporters.shape import Column, Row

KEY, SUFFIX, CONTENT_TYPE = "parquet", ".parquet", "application/vnd.apache.parquet"
WORDS = {"zh-hans": "Parquet", "en": "Parquet", "zh-hant": "Parquet"}
TYPES = {"text": "VARCHAR", "int": "BIGINT", "money": "BIGINT", "day": "DATE", "moment": "TIMESTAMPTZ"}
MEMORY = ("64MB", "320MB")
"""DuckDB keeps what it has read for as long as it may, so the first is how much more many rows cost than few. Texts of
ten thousand characters in every row do not fit: then it is written once more with the second, which holds some groups
of rows of the longest that a cell may have."""
COPY = (
    "COPY (SELECT * FROM read_csv(?, auto_detect = false, header = false, columns = ?, quote = '\"', escape = '\"',"
    " nullstr = '', allow_quoted_nulls = false, delim = ',', parallel = false, max_line_size = 4000000,"
    " buffer_size = 8000000)) TO '{target}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480,"
    " ROW_GROUP_SIZE_BYTES '8MB')"
)


def write(path: Path, columns: Sequence[Column], rows: Iterator[Row], *, currency: str) -> None:
    """By way of a plain file: rows one by one into DuckDB cost a hundred times as much."""
    plain = path.with_suffix(".rows")
    try:
        with plain.open("w", encoding="utf-8", newline="") as stream:
            for row in rows:
                stream.write(_line(row))
        names = {column.key: TYPES[column.kind] for column in columns}
        try:
            _copy(plain, path, names, memory=MEMORY[0])
        except duckdb.OutOfMemoryException:
            _copy(plain, path, names, memory=MEMORY[1])
    finally:
        plain.unlink(missing_ok=True)


def _copy(plain: Path, path: Path, names: dict[str, str], *, memory: str) -> None:
    with duckdb.connect(config={"memory_limit": memory, "threads": 1}) as lake:
        lake.execute("SET TimeZone = 'UTC'")
        # What bounds a group in bytes; one thread and a reader that is not parallel keep the order all the same.
        lake.execute("SET preserve_insertion_order = false")
        lake.execute(COPY.format(target=str(path).replace("'", "''")), [str(plain), names])


def _line(row: Row) -> str:
    return ",".join("" if value is None else _quoted(value) for value in row) + "\n"


def _quoted(value: object) -> str:
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return '"' + text.replace('"', '""') + '"' if isinstance(value, str) else text
