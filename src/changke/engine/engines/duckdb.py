"""Run a statement on DuckDB: everybody, over the mirror."""

from collections.abc import Mapping

import duckdb

from changke.engine.definitions import Statement
from changke.engine.engines.populations import require


def run(
    connection: duckdb.DuckDBPyConnection, statement: Statement, values: Mapping[str, object]
) -> duckdb.DuckDBPyConnection:
    """Start the statement and hand back the cursor that holds its rows.

    `fetchmany()` reads rows; `__arrow_c_stream__` of `relation()` hands Arrow to whoever takes a capsule; nothing of it
    needs pyarrow. The cursor is of its own: another statement on `connection` does not disturb it.

    Raises
    ------
    EmptyPopulation
        If a population table that the statement reads has no rows of the version bound.
    KeyError
        If a parameter has no value.
    """
    cursor = connection.cursor()
    require(statement, values, lambda table, version: _filled(cursor, table, version))
    return cursor.execute(statement.sql, statement.bind(values))


def create_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    statement: Statement,
    values: Mapping[str, object],
    *,
    temporary: bool = False,
) -> int:
    """Put the statement's rows into the table `name`, replacing it, without leaving DuckDB. Returns how many.

    In the caller's transaction, if there is one: other connections see the old table until it ends. A temporary table
    is this connection's own and is never compressed, which is half of the work for many columns.
    """
    require(statement, values, lambda table, version: _filled(connection, table, version))
    kind = "TEMP TABLE" if temporary else "TABLE"
    connection.execute(f"CREATE OR REPLACE {kind} {name} AS {statement.sql}", statement.bind(values))
    return int(connection.execute(f"SELECT COUNT(*) FROM {name}").fetchall()[0][0])  # noqa: S608 -- a name of ours


def has_table(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a table `schema.name` stands in the file."""
    query = "SELECT concat(schema_name, '.', table_name) FROM duckdb_tables() WHERE database_name = current_database()"
    return (name,) in connection.execute(query).fetchall()


def _filled(connection: duckdb.DuckDBPyConnection, table: str, version: object) -> bool:
    query = f"SELECT 1 FROM {table} WHERE version = ? LIMIT 1"  # noqa: S608 -- a name of the registry
    return connection.execute(query, [version]).fetchall() != []
