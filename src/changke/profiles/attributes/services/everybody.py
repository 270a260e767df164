"""Everybody as of a day, over an open mirror: what several definitions read is computed once, then asked."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache

import duckdb

from changke.engine.definitions import Composer, Registry, values_of
from changke.engine.definitions.cases import Answer
from changke.engine.definitions.staged import KEPT, Staged
from changke.engine.engines import duckdb as on_duckdb
from changke.profiles.attributes.catalogue import REGISTRY


@contextmanager
def shared_tables(
    duck: duckdb.DuckDBPyConnection, *, settings: Mapping[str, int], today: dt.date, registry: Registry = REGISTRY
) -> Iterator[Composer]:
    """Compute what is shared, as of a day, into memory; hands out the composer that reads it. Dropped at the end."""
    staged = _staged(registry)
    duck.execute(f"ATTACH ':memory:' AS {KEPT}")
    try:
        for step in staged.steps:
            on_duckdb.create_table(duck, step.table, step.statement, {**settings, "today": today})
        yield staged.composer
    finally:
        duck.execute(f"DETACH {KEPT}")


def compute_everybody(
    duck: duckdb.DuckDBPyConnection,
    composer: Composer,
    table: str,
    columns: Sequence[str],
    cases: Mapping[str, Answer],
    values: Mapping[str, object],
) -> int:
    """Attributes and stages of everybody into a temporary table of DuckDB. Returns how many customers."""
    statement = composer.statement(columns, engine="duckdb", cases=cases)
    return on_duckdb.create_table(duck, table, statement, {**values, **values_of(cases=cases)}, temporary=True)


@lru_cache(maxsize=8)
def _staged(registry: Registry) -> Staged:
    return Staged(registry)
