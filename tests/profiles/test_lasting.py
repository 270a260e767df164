"""What lasts from one night to the next is what everybody computed anew would have."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sqlglot

from changke.engine.definitions.lasting import Lasting, ages
from changke.engine.definitions.staged import table_of
from changke.facts.tables import DAYS, FACTS, OF_NOBODY, PARTS, SUBJECTS, TABLES
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.attributes.queries import settings_of
from changke.profiles.attributes.services import lasting
from changke.profiles.attributes.services.lasting import kept_up
from changke.profiles.lifecycle.services.mirror import open_mirror
from tests.profiles.lasting import answers, counted, differing
from tests.profiles.world import TODAY

AGED = "WITH x AS (SELECT DATE_DIFF('day', day, :today) AS age FROM b)"

pytestmark = pytest.mark.django_db


@pytest.fixture
def duck(invented: None, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The mirror's file, and `sync` to bring it up to date."""
    with open_mirror(tmp_path / "mirror.duckdb") as (opened, copy):
        copy.sync(conninfo("reader"))
        yield opened


def test_a_day_passes_and_only_those_whose_facts_come_of_age_are_computed(
    duck: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting, "PART", 150)  # everybody comes in several parts
    assert differing(duck, TODAY) == 0
    few = counted(monkeypatch)
    for days in (1, 9, 1, -3):  # on, further, and back again
        assert differing(duck, TODAY + dt.timedelta(days=days)) == 0
    assert all(0 < some < 350 for some in few)


def test_another_meaning_of_activity_computes_everybody_anew(duck: duckdb.DuckDBPyConnection) -> None:
    settings = settings_of(the_chain())
    assert differing(duck, TODAY, settings) == 0
    assert differing(duck, TODAY, {**settings, "activity_visit": 0, "activity_use": 0}) == 0
    assert differing(duck, TODAY, {**settings, "silent_after_days": 20}) == 0


def test_a_run_that_broke_off_is_followed_by_one_over_everybody(
    duck: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert differing(duck, TODAY) == 0

    def fail(*_: object) -> None:
        raise RuntimeError("the machine went down")

    with monkeypatch.context() as broken:
        broken.setattr(lasting.on_duckdb, "create_table", fail)
        with pytest.raises(RuntimeError, match="went down"):
            answers(duck, kept_up, "kept_answers", TODAY + dt.timedelta(days=1), settings_of(the_chain()))
    assert duck.execute(f"SELECT COUNT(*) FROM {lasting.STATE}").fetchall() == [(0,)]
    assert differing(duck, TODAY + dt.timedelta(days=1)) == 0


def test_what_lasts_is_found_in_the_definitions() -> None:
    found = Lasting(REGISTRY)
    assert found.borders == (0, 30, 60, 90, 180, 365)
    assert {one.name for one in REGISTRY.order} - found.names == {
        "chain_pace", "groups", "pace", "referral", "rfm", "rfm_bounds", "rhythm", "silence", "strata"
    }  # fmt: skip
    assert found.frontier >= {"money", "gaps", "last_active", "own_pace"}
    assert table_of("money") == "kept_money"


@pytest.mark.parametrize(
    ("query", "turns"),
    [
        ("SELECT customer_id, cash FROM sales", set()),
        ("SELECT a FROM b WHERE last_on <= :today", {0}),
        (f"{AGED} SELECT SUM(1) FILTER (WHERE age < 30) AS n FROM x", {30}),
        ("SELECT CASE WHEN DATE_DIFF('day', first_on, :today) >= 365 THEN 1 END AS old FROM b", {365}),
        ("SELECT DATE_DIFF('day', day, :today) AS age FROM b", None),  # every day another
        (f"{AGED} SELECT MAX(age) AS n FROM x", None),
        (f"{AGED} SELECT 1 AS n FROM x WHERE age < :n", None),
        (f"{AGED} SELECT 1 AS n FROM x WHERE age <= 30", None),
        ("SELECT a FROM b WHERE last_on < :today", None),
        ("SELECT a FROM b WHERE day + 7 <= :today", None),
        ("SELECT day + gap_days AS due_on FROM b", None),  # a date of nobody's facts
        ("SELECT MAX(day) - 1 AS due_on FROM b", None),
    ],
)  # fmt: skip
def test_the_ages_at_which_an_answer_turns(query: str, turns: set[int] | None) -> None:
    assert ages(sqlglot.parse_one(query, read="duckdb"), {"day", "last_on", "first_on"}) == turns


def test_every_date_of_the_facts_is_watched_and_every_person_noted() -> None:
    # Scores are asked by segments alone, and may come for everybody every day: a definition that reads them wants them
    # in both lists first.
    unread = {"scores": "facts_scorevalue"}
    # Lines come with their receipts, whose customers and days are watched.
    by_stages = {"worn": "facts_tagspell"}
    assert not [one.name for one in REGISTRY.order if (unread | by_stages).keys() & set(one.inputs)]
    # Nothing that lasts stands on facts of others (`across`), so no day of theirs is watched.
    read = {fact.name: fact for fact in FACTS if fact.name not in unread | by_stages and not fact.across}
    dates = {name for fact in read.values() for name, kind in fact.columns.items() if kind == "date"}
    assert dates == {name for days in DAYS.values() for name in days}
    # Own fields and tags are asked by stage models alone, whose stages are computed of everybody each night: nothing
    # that is kept stands on them, so no day of theirs is watched; whoever's is filled or emptied is noted all the same.
    assert set(DAYS) == set(SUBJECTS) - {"facts_fieldvalue", *by_stages.values()}
    assert set(SUBJECTS) == set(TABLES) - set(unread.values()) - {*PARTS, *OF_NOBODY}
    for table, days in DAYS.items():
        assert set(days) == {name for name in TABLES[table] if name.endswith("_on") or "date" in name}
        people = {name for name in TABLES[table] if name in ("customer_id", "merged_into_id", "referrer_id")}
        assert people | ({"id"} if table == "facts_customer" else set()) == set(SUBJECTS[table])
