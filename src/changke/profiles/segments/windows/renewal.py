"""Writing the columns of deeds: of everybody once a night, in between of whoever had a fact since."""

import datetime as dt
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from changke.profiles.segments.windows import kept
from changke.profiles.segments.windows.answers import Answers

MOST_AGAIN = 30_000
"""Customers with a fact since everybody's deeds were written, up to which theirs alone are written again: more of them
take PostgreSQL as long as everybody does."""


@dataclass(frozen=True)
class Told:
    """Where deeds lie. Names of folders beside the copy; empty where they are not kept."""

    base: str = ""
    since: int = 0
    """Everything before this transaction is in the base."""
    again: str = ""


def renewed(beside: Path, source: Any, before: Told, changed: Sequence[int] | None, *, below: int, name: str) -> Told:
    """Write what has to be written.

    Parameters
    ----------
    beside
        The folder in which the folders lie.
    source
        A cursor over one moment of PostgreSQL, which sees every row of the transactions before `below`.
    before, changed
        What was written last, and who had a fact since; None: write everybody's.
    name
        What the new folders are called behind their kind; no other is called so.
    """
    with _sorting(beside, name) as duck:
        if changed is None:
            base = f"deeds-{name}"
            if not _written(beside / base, source, duck):
                return Told()
            before, changed = Told(base, below), ()  # deeds are facts: nobody has to have followed them
        elif not before.base:
            return before
        again = f"again-{name}"
        return Told(before.base, before.since, again if _again(beside / again, source, duck, changed) else "")


def answers(beside: Path, told: Told) -> Answers | None:
    """None where nothing is kept. Raises OSError where it has just gone."""
    if not (told.base and told.again):
        return None
    again = beside / told.again
    renewed_ids = np.fromfile(again / "renewed", np.int64)
    return Answers(kept.opened(beside / told.base), kept.opened(again), renewed_ids)


def tidy(beside: Path, told: Told) -> None:
    """Take away what no copy names any more. Whoever has it mapped goes on reading it."""
    for old in (*beside.glob("deeds-*"), *beside.glob("again-*")):
        if old.name not in {told.base, told.again}:
            shutil.rmtree(old, ignore_errors=True)


def _again(folder: Path, source: Any, duck: duckdb.DuckDBPyConnection, changed: Sequence[int]) -> bool:
    if not _written(folder, source, duck, only=changed):
        return False
    np.array(changed, np.int64).tofile(folder / "renewed")
    return True


def _written(folder: Path, source: Any, duck: duckdb.DuckDBPyConnection, *, only: Sequence[int] | None = None) -> bool:
    """A folder that is there is whole: nobody reads it before the copy names it."""
    shutil.rmtree(folder, ignore_errors=True)
    return kept.write(folder, source, duck, today=_today(source), only=only)


def _today(source: Any) -> dt.date:
    """The last day of which anybody was computed: nothing of a later one is asked of this copy."""
    source.execute("SELECT COALESCE(MAX(as_of), DATE '1970-01-01') AS day FROM profiles_profile")
    with duckdb.connect() as duck:
        [(day,)] = duck.from_arrow(source.fetch_arrow()).fetchall()
    return dt.date.fromisoformat(str(day))


@contextmanager
def _sorting(beside: Path, name: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of our own beside the copy, gone afterwards."""
    file = beside / f".sorting-{name}.duckdb"
    file.unlink(missing_ok=True)
    try:
        with duckdb.connect(str(file), config={"threads": 2, "memory_limit": "1GB"}) as duck:
            yield duck
    finally:
        file.unlink(missing_ok=True)
        shutil.rmtree(f"{file}.tmp", ignore_errors=True)
