"""A chain's own fields in conditions: PostgreSQL, DuckDB and Python say the same of everybody."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from django.db import connection

from changke.engine.definitions import TYPES, values_of
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import postgres as on_postgres
from changke.facts.fields.queries import fields_for
from changke.facts.fields.services import define, retire, set_values
from changke.facts.tables import FACTS
from changke.profiles.attributes.own import VALUES, attributes_of, composer_with
from changke.profiles.conditions import ConditionError, read_condition
from tests.cast import NOW, TODAY, Cast

pytestmark = pytest.mark.django_db

ASKED = ["custom_skin", "custom_children", "custom_budget", "custom_wedding", "custom_vip", "custom_likes_1"]
CONDITIONS: list[dict[str, Any]] = [
    {"attribute": "custom.skin", "op": "=", "value": "油性"},
    {"attribute": "custom.skin", "op": "in", "value": ["油性", "干性"]},
    {"not": {"attribute": "custom.skin", "op": "=", "value": "油性"}},  # whoever was never asked is "not oily"
    {"known": "custom.skin"},
    {"attribute": "custom.children", "op": ">=", "value": 1},
    {"attribute": "custom.budget", "op": "<", "value": 100_000},
    {"attribute": "custom.wedding", "op": "<=", "value": "2020-01-01"},
    {"attribute": "custom.vip", "op": "=", "value": False},
    {"attribute": "custom.likes_1", "op": "=", "value": True},
    {"and": [{"attribute": "custom.vip", "op": "=", "value": True}, {"not": {"known": "custom.children"}}]},
]


@pytest.fixture
def filled(cast: Cast) -> Cast:
    for key, kind, choices in (
        ("skin", "choice", ["干性", "油性"]),
        ("children", "number", []),
        ("budget", "money", []),
        ("wedding", "date", []),
        ("vip", "yes_no", []),
        ("likes", "choices", ["安静", "聊天_多", "100%"]),
    ):
        define(key=key, kind=kind, labels={"zh-hans": key}, choices=choices, now=NOW)
    said = {
        cast.ying: {"skin": "油性", "children": 0, "budget": 99_999, "vip": False, "likes": ["安静", "100%"]},
        cast.qiu: {"skin": "干性", "children": 2, "wedding": "2020-01-01", "vip": True, "likes": ["聊天_多"]},
        cast.vera: {"budget": 100_000, "wedding": "2020-01-02", "vip": True},
        cast.mo: {"skin": "油性"},
    }
    for customer, values in said.items():
        set_values(customer.pk, values, now=NOW)
    set_values(cast.mo.pk, {"skin": None}, now=NOW)  # asked, then emptied
    return cast


@pytest.fixture
def duck(filled: Cast) -> Iterator[duckdb.DuckDBPyConnection]:
    """What the mirror would hold of the customers and their fields."""
    with duckdb.connect() as engine:
        engine.execute("CREATE SCHEMA live")
        for fact, table in ((FACTS[0], f"live.{FACTS[0].name}"), (VALUES, VALUES.name)):
            listed = ", ".join(f"{name} {TYPES[kind]}" for name, kind in fact.columns.items())
            engine.execute(f"CREATE TABLE {table} ({listed})")
            with connection.cursor() as sql:
                sql.execute(f"SELECT {', '.join(fact.columns)} FROM {table}")
                rows = sql.fetchall()
            engine.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(fact.columns))})", rows)
        yield engine


@pytest.mark.parametrize("tree", CONDITIONS, ids=str)
def test_all_three_say_the_same(filled: Cast, duck: duckdb.DuckDBPyConnection, tree: dict[str, Any]) -> None:
    composer = composer_with(fields_for(), language="en")
    condition = read_condition(tree, attributes_of(composer))
    connection.ensure_connection()
    found = {}
    for engine, run in (
        ("postgres", lambda one, values: on_postgres.run(connection.connection, one, values)),
        ("duckdb", lambda one, values: on_duckdb.run(duck, one, values).fetchall()),
    ):
        everybody = sorted(run(composer.statement(ASKED, engine=engine), {"today": TODAY}))
        fitting = sorted(
            run(composer.statement([], engine=engine, where=condition), {"today": TODAY, **values_of(condition)})
        )
        found[engine] = everybody, fitting
    assert found["postgres"] == found["duckdb"]
    everybody, fitting = found["postgres"]
    by_hand = [(row[0],) for row in everybody if condition.holds(dict(zip(ASKED, row[1:], strict=True)))]
    assert fitting == by_hand
    assert 0 < len(fitting) < len(everybody), "a case that could not fail proves nothing"


def test_a_retired_field_is_asked_no_more(filled: Cast) -> None:
    retire(next(one for one in fields_for() if one.key == "skin"), now=NOW)
    composer = composer_with(fields_for(), language="en")
    with pytest.raises(ConditionError, match="unknown attribute"):
        read_condition({"known": "custom.skin"}, attributes_of(composer))


def test_an_attribute_of_the_house_stands_beside_them(filled: Cast) -> None:
    known = attributes_of(composer_with(fields_for(), language="en"))
    assert {"silent_days", "custom.skin", "custom.likes_3"} <= set(known)
    assert known["custom.budget"].type == "money"
