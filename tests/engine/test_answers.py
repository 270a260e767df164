"""The same question has the same answer: on every engine, for one as for all."""

import datetime
from pathlib import Path

import duckdb
import pytest
import sqlglot

from changke.engine.definitions import Composer, Registry, Scope
from tests.engine import world
from tests.engine.fixtures import Ask, Row

BY_HAND = Path(__file__).parent / "sample" / "by_hand.sql"
EARLIER = datetime.date(2026, 3, 1)


@pytest.fixture(scope="module")
def columns(registry: Registry) -> list[str]:
    return list(registry.attributes)


@pytest.fixture(scope="module")
def everyone(ask: Ask, columns: list[str]) -> dict[int, Row]:
    return {row[0]: row for row in ask("duckdb", columns)}


@pytest.mark.parametrize("today", [world.TODAY, EARLIER])
def test_postgres_and_duckdb_agree_row_by_row(ask: Ask, columns: list[str], today: datetime.date) -> None:
    assert ask("postgres", columns, today=today) == ask("duckdb", columns, today=today)


def test_the_world_is_worth_asking(everyone: dict[int, Row], columns: list[str]) -> None:
    """Equal answers prove little when they are all NULL: every column takes several values."""
    assert 0.95 * world.CUSTOMERS < len(everyone) < world.CUSTOMERS  # some are known from tomorrow on
    for place, name in enumerate(columns, start=1):
        assert len({row[place] for row in everyone.values()} - {None}) >= 2, name


def test_the_statement_written_by_hand_gives_the_same_rows(
    duck: duckdb.DuckDBPyConnection, everyone: dict[int, Row], columns: list[str]
) -> None:
    """The composer is not its own witness."""
    text = BY_HAND.read_text(encoding="utf-8").replace(":", "$")
    values = {"today": world.TODAY, **world.SETTINGS}
    cursor = duck.execute(text, {name: value for name, value in values.items() if f"${name}" in text})
    names = [str(column[0]) for column in cursor.description]
    assert sorted(names) == sorted(["customer_id", *columns])
    places = [names.index(name) for name in ("customer_id", *columns)]
    by_hand = sorted((tuple(row[place] for place in places) for row in cursor.fetchall()), key=str)
    assert by_hand == sorted(everyone.values(), key=str)


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_one_customer_is_her_row_of_all(ask: Ask, columns: list[str], everyone: dict[int, Row], engine: str) -> None:
    heaviest = sorted(everyone, key=lambda customer: -everyone[customer][1 + columns.index("purchases")])[:5]
    for customer in (*sorted(everyone)[:: 67 if engine == "duckdb" else 11], *heaviest):
        assert ask(engine, columns, scope=Scope(customer)) == [everyone[customer]]


def test_a_customer_of_tomorrow_is_not_there_today(ask: Ask, everyone: dict[int, Row]) -> None:
    tomorrow = next(customer for customer in range(1, world.CUSTOMERS + 1) if customer not in everyone)
    assert ask("duckdb", ["purchases"], scope=Scope(tomorrow)) == ask("postgres", [], scope=Scope(tomorrow)) == []


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_some_customers_are_their_rows_of_all(
    ask: Ask, columns: list[str], everyone: dict[int, Row], engine: str
) -> None:
    some = list(range(3, world.CUSTOMERS, 7))
    assert ask(engine, columns, scope=Scope(some)) == [everyone[customer] for customer in some if customer in everyone]
    assert ask(engine, columns, scope=Scope([])) == []


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
@pytest.mark.parametrize("column", ["purchases", "own_gaps", "usual_gap_days", "silent_days", "stage", "money_score"])
def test_a_column_alone_equals_the_column_among_others(
    ask: Ask, columns: list[str], everyone: dict[int, Row], engine: str, column: str
) -> None:
    place = 1 + columns.index(column)
    assert ask(engine, [column]) == [(customer, row[place]) for customer, row in sorted(everyone.items())]


def test_no_columns_are_the_customers_in_scope(ask: Ask, everyone: dict[int, Row]) -> None:
    assert ask("duckdb", []) == ask("postgres", []) == [(customer,) for customer in sorted(everyone)]


@pytest.mark.parametrize("scope", [Scope(), Scope(7), Scope([7, 8])])
def test_spark_can_parse_it(composer: Composer, columns: list[str], scope: Scope) -> None:
    statement = composer.statement(columns, engine="spark", scope=scope)
    assert sqlglot.parse_one(statement.sql, read="spark").named_selects == ["customer_id", *columns]


def test_only_what_is_needed_is_read(composer: Composer) -> None:
    statement = composer.statement(["purchases"], engine="duckdb")
    assert "live.purchases" in statement.sql
    assert not any(name in statement.sql for name in ("visits", "memberships", "rhythm"))
    assert statement.populations == ()


def test_each_definition_stands_once(composer: Composer, columns: list[str]) -> None:
    tree = sqlglot.parse_one(composer.statement(columns, engine="duckdb").sql, read="duckdb")
    names = [cte.alias for cte in tree.args["with_"].expressions]
    assert len(names) == len(set(names))
    assert len(set(names) - {"purchases"}) == 9  # the fact itself stands there too, being costly


def test_a_costly_fact_is_read_once_where_everybody_is_asked_about(composer: Composer, columns: list[str]) -> None:
    times = {
        (engine, scope.kind): composer.statement(columns, engine=engine, scope=scope).sql.count("live.purchases")
        for engine in ("duckdb", "postgres")
        for scope in (Scope(), Scope(1), Scope([1]))
    }
    assert times == {
        ("duckdb", "all"): 1,
        ("duckdb", "one"): 3,
        ("postgres", "all"): 3,
        ("postgres", "one"): 3,
        ("duckdb", "many"): 1,
        ("postgres", "many"): 1,
    }
    assert composer.population("rfm_bounds", engine="duckdb").sql.count("live.purchases") == 1


def test_ids_are_bound_and_never_written(composer: Composer, columns: list[str]) -> None:
    one, another = (composer.statement(columns, engine="postgres", scope=Scope([n])) for n in (123456789, 987654321))
    assert one is another
    assert "123456789" not in one.sql
