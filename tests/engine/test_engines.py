"""What running a statement promises beyond its rows."""

import sys
from types import ModuleType
from typing import Any

import duckdb
import psycopg
import pytest
import sqlglot
from sqlglot import exp

from changke.engine.definitions import POPULATION_VERSION, Composer, Registry, Scope
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import postgres as on_postgres
from changke.engine.engines import spark as on_spark
from changke.engine.engines.populations import EmptyPopulation
from tests.engine import world
from tests.engine.fixtures import Ask

Values = dict[str, Any]


@pytest.fixture
def values() -> Values:
    return {"today": world.TODAY, POPULATION_VERSION: world.VERSION, **world.SETTINGS}


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_an_empty_population_is_an_error_and_not_unknown_scores(ask: Ask, engine: str) -> None:
    with pytest.raises(EmptyPopulation, match="population_chain_pace has no rows of version 8"):
        ask(engine, ["usual_gap_days"], version=8)
    assert ask(engine, ["purchases"], version=8), "asks nothing of the population"


def test_a_population_is_asked_at_its_version(
    ask: Ask, composer: Composer, duck: duckdb.DuckDBPyConnection, postgres: psycopg.Connection
) -> None:
    """Later bounds place the same customer elsewhere, and the old version still answers as it did."""
    before = ask("duckdb", ["money_score", "usual_gap_days"])
    world.fill_populations(composer, duck, postgres, version=9, today=world.TODAY.replace(year=2025))
    try:
        later = ask("duckdb", ["money_score", "usual_gap_days"], version=9)
        assert later == ask("postgres", ["money_score", "usual_gap_days"], version=9)
        assert later != before == ask("duckdb", ["money_score", "usual_gap_days"])
    finally:
        for definition in composer.registry.populations:
            duck.execute(f"DELETE FROM population_{definition.name} WHERE version = 9")
            postgres.execute(f"DELETE FROM population_{definition.name} WHERE version = 9")


def test_the_population_table_is_named_by_its_owner(registry: Registry) -> None:
    mine = Registry(
        registry.definitions.values(), registry.facts.values(), population_table="profiles_population_{name}"
    )
    statement = Composer(mine).statement(["usual_gap_days"], engine="postgres")
    assert statement.populations == ("profiles_population_chain_pace",)
    assert "FROM profiles_population_chain_pace WHERE version" in statement.sql


def test_a_version_is_looked_up_once(
    composer: Composer, postgres: psycopg.Connection, filled: None, values: Values
) -> None:
    statement = composer.statement(["usual_gap_days"], engine="postgres", scope=Scope(1))
    known: set[tuple[str, object]] = set()
    on_postgres.run(postgres, statement, values | {"customer_id": 1}, known=known)
    assert known == {("population_chain_pace", world.VERSION)}


@pytest.mark.parametrize("prepares", [None, 5])
def test_one_customer_is_prepared_and_the_connection_left_as_it_was(
    composer: Composer, empty_database: str, postgres: psycopg.Connection, filled: None, values: Values, prepares: int
) -> None:
    """Django's connections prepare nothing by themselves (prepare_threshold None)."""
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.prepare_threshold = prepares
        one = composer.statement(["purchases"], engine="postgres", scope=Scope(1))
        some = composer.statement(["purchases"], engine="postgres", scope=Scope([1]))
        for customer in (1, 2):
            on_postgres.run(connection, one, values | {"customer_id": customer})
            on_postgres.run(connection, some, values | {"customer_ids": [customer]})
        plans = connection.execute("SELECT generic_plans, custom_plans FROM pg_prepared_statements").fetchall()
        assert plans == [(2, 0)]
        assert connection.prepare_threshold == prepares
        on_postgres.run(connection, composer.statement(["purchases"], engine="postgres"), values)
        assert connection.execute("SHOW plan_cache_mode").fetchone() == ("auto",)
        assert connection.execute("SHOW enable_nestloop").fetchone() == ("on",)


def test_a_failure_inside_a_transaction_is_the_one_reported(
    composer: Composer, empty_database: str, postgres: psycopg.Connection, filled: None, values: Values
) -> None:
    statement = composer.statement(["purchases"], engine="postgres", scope=Scope(1))
    with psycopg.connect(empty_database) as connection:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation), connection.transaction():
            on_postgres.run(connection, statement, values | {"customer_id": "nobody"})
        assert connection.execute("SHOW plan_cache_mode").fetchone() == ("auto",)


def test_duckdb_fills_a_table(
    composer: Composer, duck: duckdb.DuckDBPyConnection, filled: None, values: Values
) -> None:
    statement = composer.statement(["purchases"], engine="duckdb")
    for _ in range(2):  # the second replaces the first
        rows = on_duckdb.create_table(duck, "answers", statement, values)
    assert duck.execute("SELECT COUNT(*) FROM answers").fetchall() == [(rows,)]
    assert rows == len(on_duckdb.run(duck, statement, values).fetchall())


def test_the_longest_unused_statement_goes_first(registry: Registry) -> None:
    composer = Composer(registry, kept=2)

    def made(column: str) -> object:
        return composer.statement([column], engine="duckdb")

    first, second = made("purchases"), made("cash")
    assert made("purchases") is first  # used again, so `cash` is the oldest now
    made("tier")
    assert made("purchases") is first
    assert made("cash") is not second


def test_spark_runs_only_what_was_composed_for_it(composer: Composer) -> None:
    with pytest.raises(ValueError, match="a statement for duckdb"):
        on_spark.run(None, composer.statement(["purchases"], engine="duckdb"), {})


def test_parts_of_two_definitions_may_have_one_name_on_spark(composer: Composer, registry: Registry) -> None:
    """SQLGlot moves inner CTEs to the top for Spark: they must not meet there."""
    statement = composer.statement(list(registry.attributes), engine="spark")
    names = [cte.alias for cte in sqlglot.parse_one(statement.sql, read="spark").find_all(exp.CTE)]
    assert len(names) == len(set(names))


def test_where_spark_is_missing_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(on_spark.SparkMissing, match=r"pyspark is not installed here: pip install 'changke\[spark\]'"):
        on_spark.require()
    monkeypatch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(on_spark.SparkMissing, match="Java is not installed here: apt install default-jre-headless"):
        on_spark.require()
