"""What is done in a window as a column: PostgreSQL, DuckDB and Python for one person say the same, on any day."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection

from changke.engine.definitions import Scope
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import postgres as on_postgres
from changke.foundation.database import rows_seen
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.deeds import ROWS, tree_of
from changke.profiles.attributes.queries import settings_of
from changke.profiles.conditions import Beyond, read_condition
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


@pytest.mark.parametrize("ago", [0, 200])
def test_every_deed_is_the_same_on_both_engines_and_in_python(
    everybody: list[int], words: Words, tmp_path: Path, ago: int
) -> None:
    composer, day, scope = own_composer("en", deeds=DEEDS), TODAY - dt.timedelta(days=ago), Scope(everybody)
    values = {**settings_of(the_chain()), "today": day, **scope.values}
    statement = composer.statement(DEEDS, engine="postgres", scope=scope)
    connection.ensure_connection()
    with rows_seen.aloud():
        rows = on_postgres.run(connection.connection, statement, values)
    by_postgres = {row[0]: dict(zip(DEEDS, row[1:], strict=True)) for row in rows}
    with open_mirror(tmp_path / "mirror.duckdb") as (duck, mirrored):
        mirrored.sync(conninfo("reader"))
        statement = composer.statement(DEEDS, engine="duckdb")
        found = on_duckdb.run(duck, statement, values).fetchall()
    by_duckdb = {row[0]: dict(zip(DEEDS, row[1:], strict=True)) for row in found}
    assert {pk: by_duckdb[pk] for pk in by_postgres} == by_postgres
    conditions = {name: read_condition(tree_of(name), {}, beyond=Beyond()) for name in DEEDS}
    people = persons(sorted(by_postgres), words, today=day)
    for pk, row in by_postgres.items():
        for name in DEEDS:
            condition = conditions[name]
            assert condition.holds(people[pk]) == bool(row[name] is not None and row[name] > 0), (pk, name)
