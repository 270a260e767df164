"""The mirror of this installation: where it lies, and how it is opened, by one at a time.

DuckDB lets one process open a file for writing, and all of that process' threads. So whoever opens it holds a lock
beside it, against other processes and against threads of its own.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from django.conf import settings

from changke.engine.engines import duckdb as on_duckdb
from changke.engine.mirror import Mirror
from changke.engine.schemas import MirrorTable, mirror_tables
from changke.facts.tables import FURTHER, OF_NOBODY, PARTS, SUBJECTS, TABLES, VIEWS
from changke.foundation.database.connections import conninfo
from changke.profiles.lifecycle.queries import further_of, models_in_use
from changke.profiles.lifecycle.rules import LifecycleModel


def mirror_file() -> Path:
    """Where the mirror of this installation lies."""
    folder: Path = settings.DATA_DIR / "analytics"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "mirror.duckdb"


@contextmanager
def open_mirror(
    file: Path | str, *, models: Iterable[LifecycleModel] = ()
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Mirror]]:
    """The mirror's file, opened for writing: DuckDB lets one process do so at a time.

    It copies what these models ask for and those in use, and whatever was asked for before.
    """
    asked = further_of([*models_in_use(), *models])
    with duckdb.connect(str(file)) as duck:
        further = [
            (MirrorTable(one.table, one.columns), name, one.view)
            for name, one in FURTHER.items()
            if name in asked or on_duckdb.has_table(duck, one.table)
        ]
        tables = mirror_tables(TABLES, SUBJECTS, parts=PARTS, whole=OF_NOBODY)
        yield duck, Mirror(duck, tables, VIEWS, further)


@contextmanager
def alone(file: Path, wait: Callable[[], object]) -> Iterator[None]:
    """Nobody else is at the mirror meanwhile. If somebody is, `wait` is told once, and then it is waited."""
    with _lock(file) as lock:
        if not _take(lock):
            wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def caught_up(file: Path) -> Iterator[int | None]:
    """Nobody else is at the mirror meanwhile, and it knows every transaction below the id that is handed out.

    None at once, and nothing was changed, if somebody is at it, or if more than news would have to be copied.
    """
    with _lock(file) as lock:
        yield _catch_up(file) if file.exists() and _take(lock) else None


def _catch_up(file: Path) -> int | None:
    try:
        with open_mirror(file) as (_, copy):
            done = copy.catch_up(conninfo("reader"))
    except duckdb.IOException:  # opened by somebody who asked for no lock
        return None
    return done.read_below if done else None


@contextmanager
def _lock(file: Path) -> Iterator[int]:
    lock = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
