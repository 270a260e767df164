"""What the engine hands back: named columns of equal length that every frame library takes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from changke.engine.later import Later

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = Later("duckdb")

Column = npt.NDArray[Any]


class Table(dict[str, Column]):
    """Columns by name, numpy arrays of one length.

    `table["p_active"]` is an array; `pandas.DataFrame(table)`, `polars.DataFrame(table)`, `pyarrow.table(table)` and
    DuckDB take the whole: it speaks Arrow's stream protocol, and is a dict because pandas reads of any other mapping
    nothing but the names.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        super().__init__(columns)
        lengths = {len(column) for column in self.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        self.rows = lengths.pop() if lengths else 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.rows} rows: {', '.join(self)})"

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        connection = duckdb.connect()
        connection.register("columns_", {name: _known_to_duckdb(column) for name, column in self.items()})
        return connection.sql("FROM columns_").__arrow_c_stream__(requested_schema)

    def records(self) -> list[dict[str, object]]:
        """Row by row, in Python's own types."""
        lists = [column.tolist() for column in self.values()]
        return [dict(zip(self, row, strict=True)) for row in zip(*lists, strict=True)]


def _known_to_duckdb(column: Column) -> Column:
    if column.dtype.kind == "U":
        return column.astype(object)
    return column.astype("datetime64[us]") if column.dtype.kind == "M" else np.ascontiguousarray(column)
