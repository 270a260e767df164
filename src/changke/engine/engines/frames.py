"""Read whatever frame somebody has, with DuckDB, in memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from changke.engine.later import Later
from changke.engine.table import Table

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = Later("duckdb")

GIVEN = "given"


class UnreadableFrame(TypeError):
    """What was handed over is no frame, or lacks a column."""


@contextmanager
def reading(frame: object, *, needs: Sequence[str] = ()) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A database in memory that sees the frame as the view `given`.

    Parameters
    ----------
    frame
        A Polars, pandas, Arrow or DuckDB frame, anything that speaks Arrow's stream protocol, a mapping of arrays, or
        the path of a Parquet file.
    needs
        Columns without which it is refused.
    """
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        try:
            _show(connection, frame)
            columns = columns_of(connection)
        except (duckdb.Error, TypeError, ValueError) as problem:
            raise UnreadableFrame(f"not a frame that DuckDB reads: {type(frame).__name__}: {problem}") from problem
        missing = [name for name in needs if name not in columns]
        if missing:
            raise UnreadableFrame(f"no column {', '.join(missing)} among {', '.join(columns)}; name yours as arguments")
        yield connection


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
    if isinstance(frame, str | Path):
        connection.read_parquet(str(frame)).create_view(GIVEN)
    elif isinstance(frame, Table | duckdb.DuckDBPyRelation):
        connection.register(GIVEN, _Stream(frame))
    elif isinstance(frame, Mapping):
        connection.register(GIVEN, _Stream(Table(frame)))
    else:
        connection.register(GIVEN, frame)


class _Stream:
    """Hands out the frame's stream each time it is asked: a relation of another database may not be scanned itself."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self._frame.__arrow_c_stream__(requested_schema)
