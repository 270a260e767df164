"""The mirror of this installation: where it lies, and how it is opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from django.conf import settings

from changke.engine.mirror import Mirror
from changke.engine.schemas import mirror_tables
from changke.facts.tables import SUBJECTS, TABLES, VIEWS


def mirror_file() -> Path:
    """Where the mirror of this installation lies."""
    folder: Path = settings.DATA_DIR / "analytics"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "mirror.duckdb"


@contextmanager
def open_mirror(file: Path | str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Mirror]]:
    """The mirror's file, opened for writing: DuckDB lets one process do so at a time."""
    with duckdb.connect(str(file)) as duck:
        yield duck, Mirror(duck, mirror_tables(TABLES, SUBJECTS), VIEWS)
