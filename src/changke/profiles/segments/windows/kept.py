"""What customers did, as columns on disk: a folder that is written once, never changed, and mapped into memory.

Deeds of a kind lie in the order of day and position, so that a window of days is a slice. Lines name the row of their
receipt: a category of a window is a slice of lines. Numbers take four bytes where they fit. No names, no texts.
"""

# ruff: noqa: S608 -- statements are made of our own words and of ids
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from changke.profiles.conditions.deeds import WITH_LINES, Deed

Ints = NDArray[Any]
"""Whole numbers of four or eight bytes."""

KINDS = ("purchase", "use", "return", "visit")
"""Events are not kept: nothing notes of whom one came, and PostgreSQL finds a kind and a window of them by index."""

HIGHEST_ID = 20_000_000
"""Numbers per customer are arrays with a place for every id up to the highest: 160 MB each at this one, of which a
question that is being counted holds some four. The ids of a chain are counted up from one."""

POSITION_BITS = 40
"""Positions are ids too; beside them a day has room in 64 bits."""

SLICE = 1 << 20
"""Rows handled at a time."""

DESCRIPTION = "columns.json"

MEANING = 2
"""Counted up where rows come to mean something else: an older folder is as if it were not there."""


@dataclass(frozen=True)
class Rows:
    """Deeds of one kind, in the order of day and position."""

    customer: Ints
    position: Ints
    amount: Ints
    days: Ints
    """The days on which there were some, as days since 1970-01-01, in order."""
    starts: Ints
    """The first row of each of these days; and behind them the number of rows."""
    line_row: Ints
    """Row of the receipt that the line stands on, in order; one line per receipt and item."""
    line_item: Ints
    line_amount: Ints
    highest_item: int = 0
    """No line has a higher one."""

    def between(self, first: int | None, last: int) -> range:
        """The rows from a day to a day, both included; None: from the beginning."""
        begin = 0 if first is None else int(self.starts[np.searchsorted(self.days, first)])
        return range(begin, max(begin, int(self.starts[np.searchsorted(self.days, last, side="right")])))

    def day_of(self, rows: Ints) -> Ints:
        """The days of rows, which are in order. Of rows without a gap they are written down, not looked up."""
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
            return np.repeat(self.days, np.diff(np.clip(self.starts, rows[0], rows[-1] + 1)))
        return self.days[np.searchsorted(self.starts, rows, side="right") - 1]


@dataclass(frozen=True)
class Kept:
    """A folder, opened."""

    kinds: Mapping[str, Rows]
    highest: int
    """No customer has a higher id."""


def write(
    folder: Path, source: Any, duck: duckdb.DuckDBPyConnection, *, today: dt.date, only: Sequence[int] | None = None
) -> bool:
    """Write what everybody did, or `only` some customers, into a new folder.

    Parameters
    ----------
    source
        A cursor over one moment of PostgreSQL that hands out Arrow and sees every row.
    duck
        Where rows are sorted on their way; its tables are ours.
    today
        What is given back later still stands.

    Returns
    -------
    Whether it was worth writing: not where an id is beyond `HIGHEST_ID`.
    """
    hers = (
        "" if only is None else f" WHERE customer_id = ANY('{{{','.join(str(int(one)) for one in only)}}}'::bigint[])"
    )
    until = f"DATE '{today:%Y-%m-%d}'"
    about: dict[str, Any] = {"meaning": MEANING, "highest": 0, "kinds": {}}
    for kind in KINDS:
        _receive(
            source, duck, f"SELECT customer_id, day, position, amount FROM ({Deed(kind).rows(until)}) AS deed{hers}",
            f"CREATE OR REPLACE TABLE deed_{kind} AS SELECT * FROM incoming ORDER BY day, position",
        )  # fmt: skip
        highest = f"SELECT COALESCE(MAX(customer_id), 0), COALESCE(MAX(position), 0) FROM deed_{kind}"
        [(customer, position)] = duck.execute(highest).fetchall()
        if customer > HIGHEST_ID or position >= 1 << POSITION_BITS:
            return False
        about["highest"] = max(about["highest"], customer)
    _receive(source, duck, _lines(hers), "CREATE OR REPLACE TABLE line AS SELECT * FROM incoming")
    [(about["highest_item"],)] = duck.execute("SELECT COALESCE(MAX(item_id), 0) FROM line").fetchall()
    folder.mkdir(parents=True)
    for kind in KINDS:
        about["kinds"][kind] = _write_kind(folder, duck, kind)
    (folder / DESCRIPTION).write_text(json.dumps(about))
    return True


def opened(folder: Path) -> Kept:
    """Raises OSError where the folder has gone, or was written before rows meant what they mean now."""
    about = json.loads((folder / DESCRIPTION).read_text())
    if about.get("meaning") != MEANING:
        raise FileNotFoundError(folder)
    kinds = {
        kind: Rows(
            **{name: _mapped(folder / f"{kind}-{name}", *told) for name, told in columns.items()},
            highest_item=int(about["highest_item"]),
        )
        for kind, columns in about["kinds"].items()
    }
    return Kept(kinds, int(about["highest"]))


def _lines(hers: str) -> str:
    every = "SELECT receipt_id AS position, item_id, amount_minor AS amount FROM facts_line WHERE item_id IS NOT NULL"
    if not hers:
        return every
    receipts = " UNION ALL ".join(f"SELECT receipt_id FROM live.{kind}s{hers}" for kind in WITH_LINES)
    return f"{every} AND receipt_id IN ({receipts})"


def _receive(source: Any, duck: duckdb.DuckDBPyConnection, query: str, statement: str) -> None:
    source.execute(query)
    duck.register("incoming", source.fetch_arrow())
    try:
        duck.execute(statement)
    finally:
        duck.unregister("incoming")


def _write_kind(folder: Path, duck: duckdb.DuckDBPyConnection, kind: str) -> dict[str, tuple[str, int]]:
    deeds = f"deed_{kind}"
    duck.execute(
        "CREATE OR REPLACE TABLE day AS SELECT (day - DATE '1970-01-01')::BIGINT AS day, MIN(rowid) AS start"
        f" FROM {deeds} GROUP BY 1 ORDER BY 1"
    )
    duck.execute(
        "CREATE OR REPLACE TABLE line_of AS SELECT deed.rowid AS row, item_id, SUM(line.amount)::BIGINT AS amount"
        f" FROM line JOIN {deeds} AS deed USING (position) GROUP BY ALL ORDER BY row, item_id"
        if kind in WITH_LINES
        else "CREATE OR REPLACE TABLE line_of (row BIGINT, item_id BIGINT, amount BIGINT)"
    )
    [(count,)] = duck.execute(f"SELECT COUNT(*) FROM {deeds}").fetchall()
    duck.execute("INSERT INTO day VALUES (NULL, ?)", [count])
    columns = {
        "customer": (deeds, "customer_id"), "position": (deeds, "position"), "amount": (deeds, "amount"),
        "days": ("day", "day"), "starts": ("day", "start"),
        "line_row": ("line_of", "row"), "line_item": ("line_of", "item_id"), "line_amount": ("line_of", "amount"),
    }  # fmt: skip
    return {name: _write_column(folder / f"{kind}-{name}", duck, *at) for name, at in columns.items()}


def _write_column(file: Path, duck: duckdb.DuckDBPyConnection, table: str, column: str) -> tuple[str, int]:
    known = f"FROM {table} WHERE {column} IS NOT NULL"
    [(count, low, high)] = duck.execute(f"SELECT COUNT(*), MIN({column}), MAX({column}) {known}").fetchall()
    small = count == 0 or (low >= -(2**31) and high < 2**31)
    kind = np.dtype(np.int32 if small else np.int64)
    with file.open("wb") as out:
        for begin in range(0, count, SLICE):
            rows = f"{known} AND rowid >= {begin} AND rowid < {begin + SLICE} ORDER BY rowid"
            found = duck.execute(f"SELECT {column} AS value {rows}").fetchnumpy()["value"]
            np.ma.getdata(found).astype(kind).tofile(out)
    return kind.name, count


def _mapped(file: Path, kind: str, count: int) -> Ints:
    if not count:  # nothing can be mapped of an empty file
        return np.zeros(0, kind)
    return np.asarray(np.memmap(file, dtype=kind, mode="r", shape=(count,)))
