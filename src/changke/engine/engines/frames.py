"""Read whatever frame somebody has, with DuckDB, in memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from changke.engine.later import Later
from changke.engine.table import Table

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = Later("duckdb")

GIVEN = "given"


class UnreadableFrame(TypeError):
    """What was handed over is no frame, lacks a column, or holds what is no date or no amount."""


@contextmanager
def reading(frame: object, *, needs: Sequence[str] = ()) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A database in memory that sees the frame as the view `given`.

    A moment with a time zone has its date in that zone; where the frame does not say which (Parquet, DuckDB), in UTC.
    So the same rows have the same days on every machine.

    Parameters
    ----------
    frame
        A Polars, pandas, Arrow or DuckDB frame, anything that speaks Arrow's stream protocol, a mapping of arrays or
        lists, or the path of a Parquet file.
    needs
        Columns without which it is refused.

    Raises
    ------
    UnreadableFrame
        No frame, a column is missing, or the statement meets what is no date or no amount.
    """
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        try:
            zone = next((zone for zone in (_zone(frame, name) for name in needs) if zone), "UTC")
            connection.sql(f"SET TimeZone = '{zone.replace(chr(39), '')}'")
            _show(connection, frame)
            columns = columns_of(connection)
        except (duckdb.Error, TypeError, ValueError) as problem:
            raise UnreadableFrame(_no_frame(frame, problem)) from problem
        missing = [name for name in needs if name not in columns]
        if missing:
            raise UnreadableFrame(f"no column {', '.join(missing)} among {', '.join(columns)}; name yours as arguments")
        try:
            yield connection
        except (duckdb.ConversionException, duckdb.InvalidInputException) as problem:
            said = str(problem).splitlines()[0]
            raise UnreadableFrame(f"{said} (a date as text is 2026-06-30, an amount a plain number)") from problem


def columns_of(connection: "duckdb.DuckDBPyConnection") -> dict[str, str]:
    """The columns of what was given, with DuckDB's type."""
    return {name: str(kind) for name, kind, *_ in connection.execute(f"DESCRIBE {GIVEN}").fetchall()}


def quoted(name: str) -> str:
    """A column's name as it may stand in a statement."""
    return '"' + name.replace('"', '""') + '"'


def fetched(
    connection: "duckdb.DuckDBPyConnection", query: str, values: Sequence[object] | dict[str, object] = ()
) -> Table:
    """The rows of a query as columns."""
    return Table(dict(connection.execute(query, values).fetchnumpy()))


def _show(connection: "duckdb.DuckDBPyConnection", frame: Any) -> None:
    if isinstance(frame, list | tuple | type(None)):
        raise TypeError("rows one by one")
    if type(frame).__name__ == "RecordBatchReader":
        raise TypeError("a stream that can be read once")
    if isinstance(frame, str | Path):
        connection.read_parquet(str(frame)).create_view(GIVEN)
    elif isinstance(frame, Table | duckdb.DuckDBPyRelation):
        connection.register(GIVEN, _Stream(frame))
    elif isinstance(frame, Mapping):
        arrays = {name: one if hasattr(one, "dtype") else np.asarray(one) for name, one in frame.items()}
        connection.register(GIVEN, _Stream(Table(arrays)))
    else:
        connection.register(GIVEN, frame)


HINTS = {
    "str": "a text is taken for the path of a Parquet file; read others first, `duckdb.read_csv(path)`",
    "list": "make a frame of the rows first, `pandas.DataFrame(rows)`",
    "RecordBatchReader": "it can be read once only; give its `read_all()`",
}


def _no_frame(frame: object, problem: Exception) -> str:
    kind = type(frame).__name__
    said = str(problem).splitlines()[0]
    hint = HINTS.get("str" if isinstance(frame, Path) else "list" if kind == "tuple" else kind)
    return f"not a frame that DuckDB reads: {kind}: {said}" + (f" ({hint})" if hint else "")


def _zone(frame: Any, name: str) -> str | None:
    """The time zone of a column of pandas, Polars or Arrow, as DuckDB knows it."""
    if isinstance(frame, Mapping | str | Path):
        return None
    try:
        if hasattr(frame, "collect_schema"):  # Polars, lazy or not
            zone = getattr(frame.collect_schema()[name], "time_zone", None)
        elif hasattr(frame, "dtypes") and hasattr(frame, "iloc"):  # pandas
            kind = frame.dtypes[name]
            zone = getattr(kind, "tz", None) or getattr(getattr(kind, "pyarrow_dtype", None), "tz", None)
        else:
            zone = getattr(frame.schema.field(name).type, "tz", None)
    except (AttributeError, KeyError, TypeError):
        return None
    return None if zone is None else f"{'GMT' if str(zone)[:1] in '+-' else ''}{zone}"


class _Stream:
    """Hands out the frame's stream each time it is asked: a relation of another database may not be scanned itself."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self._frame.__arrow_c_stream__(requested_schema)
