"""Run a statement on PostgreSQL: one customer or some, at once after a fact.

One customer is prepared and planned once for all (generic plan): planning her statement takes longer than running it.
A list is planned each time: a plan made for short lists is ten times too slow for long ones. Everybody is for DuckDB;
where PostgreSQL is asked nevertheless it must not loop over definitions, of whose size it knows nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from changke.engine.definitions import Statement
from changke.engine.engines.populations import require

PLANNING: Mapping[str, tuple[str, str]] = {
    "one": ("plan_cache_mode", "force_generic_plan"),
    "many": ("plan_cache_mode", "force_custom_plan"),
    "all": ("enable_nestloop", "off"),
}


def run(
    connection: psycopg.Connection[Any],
    statement: Statement,
    values: Mapping[str, object],
    *,
    known: set[tuple[str, object]] | None = None,
) -> list[tuple[Any, ...]]:
    """The statement's rows, in the transaction of the connection.

    Parameters
    ----------
    connection
        Of psycopg; Django's is `connection.connection` after `ensure_connection()`. Must be able to prepare.
    known
        Tables and versions of the population found filled before; kept by the caller, added to here, so that a
        version is looked up once.

    Raises
    ------
    EmptyPopulation
        If a population table that the statement reads has no rows of the version bound.
    KeyError
        If a parameter has no value.
    """
    known = set() if known is None else known
    with psycopg.RawCursor(connection, row_factory=tuple_row) as cursor:

        def filled(table: str, version: object) -> bool:
            if (table, version) not in known:
                query = f"SELECT 1 FROM {table} WHERE version = $1 LIMIT 1"  # noqa: S608 -- a name of the registry
                if cursor.execute(query, [version]).fetchone() is None:
                    return False
                known.add((table, version))
            return True

        require(statement, values, filled)
        bound = statement.bind(values)
        with _planned_for(connection, statement):
            return cursor.execute(statement.sql, bound, prepare=statement.kind == "one").fetchall()


@contextmanager
def _planned_for(connection: psycopg.Connection[Any], statement: Statement) -> Iterator[None]:
    """Let PostgreSQL plan as the kind of the statement needs, and leave the connection as it was."""
    setting, value = PLANNING[statement.kind]
    threshold, connection.prepare_threshold = connection.prepare_threshold, 5  # Django's None would prepare nothing
    connection.execute(f"SET {setting} = {value}", prepare=False)
    try:
        yield
    finally:
        connection.prepare_threshold = threshold
        if connection.info.transaction_status != TransactionStatus.INERROR:  # else the rollback resets it
            connection.execute(f"RESET {setting}", prepare=False)
