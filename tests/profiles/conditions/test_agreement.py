"""One tree, the same customers: read by Python, by PostgreSQL, by DuckDB."""

import datetime
from collections.abc import Mapping
from typing import Any

import duckdb
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.fixtures import Ask, Row
from tests.examples import few

from changke.engine.definitions import TYPES, Cases, Composer, Flag, Registry, Scope, values_of
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import postgres as on_postgres
from changke.profiles.conditions import Condition, read_condition

CROWD = Scope(range(1, 600, 2))
ORDERED = {"int", "money", "days", "date"}
Shelf = tuple[dict[str, list[Any]], frozenset[str]]
"""The values that occur, by attribute; the attributes that may be asked for less and more."""


@pytest.fixture(scope="module")
def columns(registry: Registry) -> list[str]:
    return list(registry.attributes)


@pytest.fixture(scope="module")
def rows(ask: Ask, columns: list[str]) -> list[Row]:
    rows = ask("duckdb", columns, scope=CROWD)
    assert any(None in row for row in rows)
    return rows


@pytest.fixture(scope="module")
def shelf(registry: Registry, columns: list[str], rows: list[Row]) -> Shelf:
    values = {
        name: [plain(value) for value in sorted({row[place] for row in rows} - {None})]
        for place, name in enumerate(columns, start=1)
    }
    return values, frozenset(name for name in columns if registry.attributes[name].type in ORDERED)


@pytest.fixture(scope="module")
def stored(registry: Registry, rows: list[Row], duck: duckdb.DuckDBPyConnection, postgres: psycopg.Connection) -> str:
    """The crowd's rows as a table, as profiles keep them, on both engines."""
    kinds = {name: TYPES[column.type] for name, column in registry.attributes.items()}
    listed = ", ".join(["customer_id BIGINT", *(f"{name} {kind}" for name, kind in kinds.items())])
    for engine, mark in ((duck, "?"), (postgres, "%s")):
        engine.execute(f"CREATE TABLE crowd ({listed})")
        marks = ", ".join([mark] * (1 + len(kinds)))
        for row in rows:
            engine.execute(f"INSERT INTO crowd VALUES ({marks})", row)
    return "crowd"


def plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime.date) else value


@st.composite
def leaves(draw: st.DrawFn, values: dict[str, list[Any]], ordered: frozenset[str]) -> dict[str, Any]:
    """A question whose value does occur in the data or lies beside it, so that both outcomes are met."""
    name = draw(st.sampled_from(sorted(values)))
    if draw(st.integers(0, 7)) == 0:
        return {"known": name}
    op = draw(st.sampled_from(["=", "!=", "in", *(["<", "<=", ">", ">="] if name in ordered else [])]))
    several = draw(st.lists(st.sampled_from(values[name]), min_size=1, max_size=3))
    return {"attribute": name, "op": op, "value": several if op == "in" else several[0]}


def trees(values: dict[str, list[Any]], ordered: frozenset[str]) -> st.SearchStrategy[dict[str, Any]]:
    def inner(children: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        parts = st.lists(children, min_size=1, max_size=3)
        return (
            st.builds(lambda part: {"not": part}, children)
            | st.builds(lambda some: {"and": some}, parts)
            | st.builds(lambda some: {"or": some}, parts)
        )

    return st.recursive(leaves(values, ordered), inner, max_leaves=8)


def random_condition(data: st.DataObject, registry: Registry, shelf: Shelf) -> Condition:
    return read_condition(data.draw(trees(*shelf)), registry.attributes)


def by_name(columns: list[str], row: Row) -> Mapping[str, Any]:
    return dict(zip(columns, row[1:], strict=True))


@settings(max_examples=few(120), deadline=None, database=None)
@given(data=st.data())
def test_python_agrees_with_sql_over_stored_rows(
    registry: Registry,
    composer: Composer,
    duck: duckdb.DuckDBPyConnection,
    postgres: psycopg.Connection,
    columns: list[str],
    rows: list[Row],
    shelf: Shelf,
    stored: str,
    data: st.DataObject,
) -> None:
    condition = random_condition(data, registry, shelf)
    fits = [condition.holds(by_name(columns, row)) for row in rows]
    whom = [(row[0],) for row, fit in zip(rows, fits, strict=True) if fit]
    flagged = [(row[0], fit) for row, fit in zip(rows, fits, strict=True)]
    cases = {"fits": Flag(condition)}
    for engine, run in (("duckdb", lambda s, v: on_duckdb.run(duck, s, v).fetchall()),
                        ("postgres", lambda s, v: on_postgres.run(postgres, s, v))):  # fmt: skip
        statement = composer.stored([], table=stored, engine=engine, where=condition)
        assert sorted(run(statement, values_of(condition))) == whom
        statement = composer.stored([], table=stored, engine=engine, cases=cases)
        assert sorted(run(statement, values_of(cases=cases))) == flagged


@settings(max_examples=few(20), deadline=None, database=None)
@given(data=st.data())
def test_python_agrees_with_sql_over_facts(
    registry: Registry, ask: Ask, columns: list[str], rows: list[Row], shelf: Shelf, data: st.DataObject
) -> None:
    """Who is asked for, and a model of stages beside her attributes: the first condition that fits."""
    where, first, second = (random_condition(data, registry, shelf) for _ in range(3))
    model = Cases(((first, "first"), (second, "second")), otherwise="rest")

    def stage(row: Mapping[str, Any]) -> str:
        return "first" if first.holds(row) else "second" if second.holds(row) else "rest"

    named = [(row[0], by_name(columns, row)) for row in rows]
    expected = [(customer, row["cash"], stage(row)) for customer, row in named if where.holds(row)]
    for engine in ("duckdb", "postgres"):
        assert ask(engine, ["cash"], scope=CROWD, where=where, cases={"model": model}) == expected


def test_two_models_stand_side_by_side(registry: Registry, ask: Ask) -> None:
    """Their conditions bind parameters of the same names."""
    lost = read_condition({"attribute": "silent_days", "op": ">=", "value": 180}, registry.attributes)
    quiet = read_condition({"attribute": "silent_days", "op": ">=", "value": 60}, registry.attributes)
    cases = {"strict": Cases(((quiet, "lost"),), "here"), "mild": Cases(((lost, "lost"),), None), "quiet": Flag(quiet)}
    rows = ask("duckdb", ["silent_days"], cases=cases)
    assert rows == ask("postgres", ["silent_days"], cases=cases)
    for _, days, strict, mild, flag in rows:
        known = -1 if days is None else days
        assert (strict, mild, flag) == (
            "lost" if known >= 60 else "here",
            "lost" if known >= 180 else None,
            known >= 60,
        )
    assert {row[2:] for row in rows} == {("here", None, False), ("lost", None, True), ("lost", "lost", True)}
