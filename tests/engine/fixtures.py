"""Two engines with the same facts; the fixtures of every test that asks both."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from psycopg import sql

from changke.engine.definitions import POPULATION_VERSION, Composer, Registry, Scope, values_of
from changke.engine.definitions.cases import Answer, Condition
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import postgres as on_postgres
from tests.engine import world
from tests.engine.sample.facts import FACTS

DEFINITIONS = Path(__file__).parent / "sample" / "definitions"
Row = tuple[Any, ...]
Ask = Callable[..., list[Row]]


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry.read(DEFINITIONS, FACTS)


@pytest.fixture(scope="session")
def composer(registry: Registry) -> Composer:
    return Composer(registry)


@pytest.fixture(scope="session")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        world.build(connection)
        yield connection


@pytest.fixture(scope="session")
def empty_database() -> Iterator[str]:
    """The address of a database of our own on the server of this test run."""
    url = os.environ["DATABASE_URL"]
    name = f"engine_{secrets.token_hex(4)}"
    with psycopg.connect(url, dbname="postgres", autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield psycopg.conninfo.make_conninfo(url, dbname=name)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgres(empty_database: str, duck: duckdb.DuckDBPyConnection) -> Iterator[psycopg.Connection]:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        world.copy_to_postgres(duck, connection)
        yield connection


@pytest.fixture(scope="session")
def filled(composer: Composer, duck: duckdb.DuckDBPyConnection, postgres: psycopg.Connection) -> None:
    world.fill_populations(composer, duck, postgres)


@pytest.fixture(scope="session")
def ask(composer: Composer, duck: duckdb.DuckDBPyConnection, postgres: psycopg.Connection, filled: None) -> Ask:
    """The rows of an engine, by customer."""

    def ask(
        engine: str,
        columns: Sequence[str],
        *,
        scope: Scope | None = None,
        where: Condition | None = None,
        cases: Mapping[str, Answer] | None = None,
        version: int = world.VERSION,
        **values: object,
    ) -> list[Row]:
        scope = scope or Scope()
        statement = composer.statement(columns, engine=engine, scope=scope, where=where, cases=cases)
        bound = {"today": world.TODAY, POPULATION_VERSION: version, **world.SETTINGS, **scope.values}
        bound |= values_of(where, cases) | values
        if engine == "postgres":
            return sorted(on_postgres.run(postgres, statement, bound))
        return sorted(on_duckdb.run(duck, statement, bound).fetchall())

    return ask
