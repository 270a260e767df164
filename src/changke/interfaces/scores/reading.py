"""A file of scores: which column is what, and its rows.

A row is a customer, perhaps the day that it speaks of, and one column per score, called by its key. Parquet or CSV in
UTF-8; who she is stands in `customer` (the pseudonym of the analysts' file) or in `customer_id` (our number).
"""

# ruff: noqa: S608 -- names of columns are quoted, the file is bound
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from changke.facts.scores.models import Score
from changke.facts.scores.queries import scores_for
from changke.foundation.errors import DomainError

PSEUDONYM, NUMBER, DAY = "customer", "customer_id", "scored_on"
MAGIC = b"PAR1"
MOST_ROWS = 20_000_000


class ScoresUnreadable(DomainError):
    code, status = "scores_unreadable", 422
    message = "This file cannot be read as Parquet or as CSV in UTF-8: %(problem)s"


class ScoresWithoutCustomer(DomainError):
    code, status = "scores_without_customer", 422
    message = (
        "A file of scores has one column customer (the pseudonym of the analysts' file) or customer_id; this one has:"
        " %(columns)s"
    )


class ScoresUnknown(DomainError):
    code, status = "scores_unknown", 422
    message = "There is no score %(unknown)s. Define it first, or leave the column out. There are: %(known)s"


class ScoresMissing(DomainError):
    code, status = "scores_missing", 422
    message = "This file holds no score. There are: %(known)s"


class ScoresTooMany(DomainError):
    code, status = "scores_too_many", 422
    message = "This file has %(rows)s rows; at most %(most)s go in at a time."


@dataclass(frozen=True)
class Layout:
    """What the columns of a file are."""

    whose: str
    """`customer` or `customer_id`."""
    has_day: bool
    scores: Mapping[str, Score]
    """Column -> score."""
    rows: int


def look(path: Path, *, role: str | None = None) -> Layout:
    """What the file holds; refused as a whole where a column is unknown. `role`: whose scores may be written."""
    with _opened(path) as (duck, source):
        names = [str(name) for name, *_ in duck.execute(f"DESCRIBE FROM {source}").fetchall()]
        rows = int(duck.execute(f"SELECT COUNT(*) FROM {source}").fetchall()[0][0])
    known = {one.key: one for one in scores_for(role)}
    said = ", ".join(known) or "–"
    whose = [name for name in (PSEUDONYM, NUMBER) if name in names]
    if len(whose) != 1:
        raise ScoresWithoutCustomer(columns=", ".join(names)[:400])
    wanted = [name for name in names if name not in (*whose, DAY)]
    if unknown := [name for name in wanted if name not in known]:
        raise ScoresUnknown(unknown=", ".join(unknown)[:200], known=said)
    if not wanted:
        raise ScoresMissing(known=said)
    if rows > MOST_ROWS:
        raise ScoresTooMany(rows=f"{rows:,}", most=f"{MOST_ROWS:,}")
    return Layout(whose[0], DAY in names, {name: known[name] for name in wanted}, rows)


@dataclass(frozen=True)
class Line:
    """A row as it stands in the file, which begins with line 1."""

    number: int
    whose: object
    day: object
    values: Sequence[object]
    """In the order of the layout's scores."""
    again: bool
    """An earlier row speaks of the same customer and day."""


def lines(path: Path, layout: Layout, *, at_once: int) -> Iterator[list[Line]]:
    """The rows in their order, some at a time."""
    names = [layout.whose, *([DAY] if layout.has_day else []), *layout.scores]
    chosen = ", ".join(_quoted(name) for name in names)
    key = _quoted(layout.whose) + (f", {_quoted(DAY)}" if layout.has_day else "")
    with _opened(path) as (duck, source):
        twice = set(duck.execute(f"SELECT {key} FROM {source} GROUP BY ALL HAVING COUNT(*) > 1").fetchall())
        seen: set[tuple[object, ...]] = set()
        width, number = 2 if layout.has_day else 1, 0
        duck.execute(f"SELECT {chosen} FROM {source}")
        while rows := duck.fetchmany(at_once):
            found = []
            for row in rows:
                number += 1
                head = row[:width]
                again = head in twice and head in seen
                if head in twice:
                    seen.add(head)
                found.append(Line(number, row[0], row[1] if layout.has_day else None, row[width:], again))
            yield found


@contextmanager
def _opened(path: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """DuckDB and the file as a source of its statements."""
    file = "'" + str(path).replace("'", "''") + "'"
    with path.open("rb") as stream:
        parquet = stream.read(len(MAGIC)) == MAGIC
    source = f"read_parquet({file})" if parquet else f"read_csv({file}, all_varchar = true, header = true)"
    with duckdb.connect() as duck:
        duck.execute("SET threads = 2; SET preserve_insertion_order = true; SET memory_limit = '512MB'")
        try:
            yield duck, source
        except duckdb.Error as error:
            raise ScoresUnreadable(problem=str(error).splitlines()[0][:200]) from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def today_or(value: object, *, default: dt.date) -> object:
    """What a row says of its day, else the day of the whole load."""
    return default if value is None or value == "" else value
