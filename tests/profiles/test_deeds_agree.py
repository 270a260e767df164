"""What is done in a window as a column: PostgreSQL, DuckDB and Python for one person say the same, on any day."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from changke.engine.definitions import Scope
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import postgres as on_postgres
from changke.facts.catalog.rules import name_key
from changke.facts.catalog.sold import KEY
from changke.foundation.database import rows_seen
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.deeds import ROWS, Meant, is_deed, then_name, tree_of
from changke.profiles.attributes.queries import settings_of
from changke.profiles.conditions import Beyond, read_condition
from changke.profiles.lifecycle.beyond import as_attributes
from changke.profiles.lifecycle.queries import own_composer
from changke.profiles.lifecycle.services.mirror import open_mirror
from changke.profiles.segments.asking import Words, persons
from tests.profiles.segments.test_agreement import everybody, words
from tests.profiles.world import TODAY

__all__ = ["everybody", "words"]
pytestmark = pytest.mark.django_db

DEEDS = [
    *(f"deed_count_{kind}{window}" for kind in ROWS for window in ("", "_30d", "_365d", "_since_visit")),
    *(f"deed_sum_{kind}{window}" for kind in ("purchase", "use", "return") for window in ("", "_90d", "_since_visit")),
    *(f"deed_then_{first}_{then}_14{window}" for first in ROWS for then in ROWS for window in ("", "_365d")),
]


OF_LINES = [
    tree
    for deed in (
        {"kind": "purchase", "item": "I1"}, {"kind": "purchase", "category": "面部"},
        {"kind": "use", "category": "身体"}, {"kind": "purchase", "item": "nobody has it"},
    )
    for tree in (
        {"measure": "count", "deed": deed, "op": ">", "value": 1},
        {"measure": "count", "deed": deed, "days": 365, "op": ">", "value": 0},
        {"measure": "sum", "deed": deed, "since": "visit", "op": ">", "value": 0},
        {"measure": "sum", "deed": deed, "days": 365, "op": ">", "value": 12_344},
        {"first": deed, "then": {"kind": "purchase", "category": "身体"}, "within": 90},
        {"first": {"kind": "visit"}, "then": deed, "within": 30, "days": 365},
    )
]  # fmt: skip
"""What counts lines: of an item, of a category, of one that there is not."""


def asked() -> list[tuple[str, dict[str, Any]]]:
    """Column and condition, which asks whether the column is more than the number in it."""
    found = [(name, tree_of(name)) for name in DEEDS]
    for tree in OF_LINES:
        _, columns = as_attributes(tree, {}, {}, "")
        found += [(name, tree) for name in columns]
    return found


@pytest.mark.parametrize("ago", [0, 200])
def test_every_deed_is_the_same_on_both_engines_and_in_python(
    everybody: list[int], words: Words, tmp_path: Path, ago: int
) -> None:
    names = list(dict.fromkeys(name for name, _ in asked()))
    composer, day, scope = own_composer("en", deeds=names), TODAY - dt.timedelta(days=ago), Scope(everybody)
    values = {**settings_of(the_chain()), "today": day, **scope.values}
    statement = composer.statement(names, engine="postgres", scope=scope)
    connection.ensure_connection()
    with rows_seen.aloud():
        rows = on_postgres.run(connection.connection, statement, values)
    by_postgres = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
    with open_mirror(tmp_path / "mirror.duckdb") as (duck, mirrored):
        mirrored.sync(conninfo("reader"))
        statement = composer.statement(names, engine="duckdb")
        found = on_duckdb.run(duck, statement, values).fetchall()
    by_duckdb = {row[0]: dict(zip(names, row[1:], strict=True)) for row in found}
    assert {pk: by_duckdb[pk] for pk in by_postgres} == by_postgres
    conditions = [(name, tree.get("value", 0), read_condition(tree, {}, beyond=Beyond())) for name, tree in asked()]
    people, held = persons(sorted(by_postgres), words, today=day), dict.fromkeys(map(str, OF_LINES), 0)
    for pk, row in by_postgres.items():
        for (name, least, condition), (_, tree) in zip(conditions, asked(), strict=True):
            fits = bool(row[name] is not None and row[name] > least)
            assert condition.holds(people[pk]) == fits, (pk, name)
            if str(tree) in held:
                held[str(tree)] += fits
    assert sum(map(bool, held.values())) > len(held) // 2, "some do what is asked of lines"


def test_no_name_is_longer_than_the_database_keeps_it() -> None:
    longest = Meant("purchase", "category", (1 << 40) - 1)
    name = then_name(longest, Meant("purchase", "item", 7), 36_500, days=36_500)
    assert len(f"of_{name}") == 63
    assert is_deed(name)
    assert tree_of(name, ["面部", "A"])["first"] == {"kind": "purchase", "category": "面部"}


@pytest.mark.parametrize("name", ["面部", "I1", ' a "b" \\ 🌸', "\u200b"])
def test_the_database_numbers_a_name_as_we_do(name: str) -> None:
    with connection.cursor() as sql:
        sql.execute(f"SELECT {KEY.format(name='%s::text')}", [name])
        assert sql.fetchone() == (name_key(name),)
