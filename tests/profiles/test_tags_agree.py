"""Tags as columns, as of any day: PostgreSQL, DuckDB and what the record of a customer says of that day are one."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from changke.engine.definitions import Scope
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import postgres as on_postgres
from changke.facts.customers.models import Customer, FormerTag, TagSpell
from changke.facts.customers.past import tags_at
from changke.facts.customers.rules import tag_key
from changke.facts.customers.services.erase import erase_former_tags, erase_tags
from changke.facts.customers.services.ruled_tags import Ruled, put_on, take_back
from changke.facts.customers.services.tags import add_tag, remove_tag
from changke.facts.customers.spells import KEY
from changke.foundation.database import rows_seen
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.queries import settings_of
from changke.profiles.attributes.worn import tag_column
from changke.profiles.lifecycle.queries import own_composer
from changke.profiles.lifecycle.services.mirror import open_mirror
from tests.profiles.segments.test_agreement import everybody
from tests.profiles.world import NOW, TODAY

__all__ = ["everybody"]
pytestmark = pytest.mark.django_db

ODD = 'O\'Brien "50%" $1 \\ ; -- 🌸'
TAGS = ["敏感肌", "油性", ODD, "nobody wears it"]
COLUMNS = [tag_column(tag).name for tag in TAGS]


def ago(days: int) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


@pytest.fixture(scope="module")
def tagged(everybody: list[int]) -> list[int]:
    """Tags that came, went, came again, went on the day they came; put on by rules that were wrong; of merged
    records."""
    people = list(Customer.objects.filter(pk__in=everybody).order_by("pk")[:60])
    for place, one in enumerate(people):
        tag = TAGS[1 + place % 2]
        add_tag(one, tag, now=ago(200 + place))
        if place % 3:
            remove_tag(one, tag, now=ago(100 + place if place % 5 else 200 + place))
        if place % 4 == 0:
            add_tag(one, tag, now=ago(30 + place % 3))
    put_on([Ruled(one.pk, TAGS[1], "rule", f"receipt:{one.pk}") for one in people[5:40:7]], now=ago(60))
    take_back([f"receipt:{one.pk}" for one in people[5:20:7]])
    for one in Customer.objects.exclude(merged_into=None).order_by("pk")[:10]:
        add_tag(one, TAGS[1], now=ago(300))
        remove_tag(one, TAGS[1], now=ago(150))
        add_tag(one, ODD, now=ago(10))  # stands with a record that is read as another: nobody's
    return everybody


def of_record(person: int, day: dt.date) -> set[str]:
    """What the record says of the evening of a day: as tags are shown, of all her records what came off."""
    evening = dt.datetime.combine(day, dt.time(15, 59, 59), tzinfo=dt.UTC)
    others = list(Customer.objects.filter(merged_into=person).values_list("pk", flat=True))
    hers = {one.name for one in tags_at([person], evening)}
    return hers | {one.name for one in tags_at(others, evening) if one.until}


@pytest.mark.parametrize("days", [0, 1, 60, 100, 150, 250])
def test_both_engines_say_of_any_day_what_the_record_says(tagged: list[int], tmp_path: Path, days: int) -> None:
    composer, day, scope = own_composer("en", deeds=COLUMNS), TODAY - dt.timedelta(days=days), Scope(tagged)
    values = {**settings_of(the_chain()), "today": day, **scope.values}
    statement = composer.statement(COLUMNS, engine="postgres", scope=scope)
    connection.ensure_connection()
    with rows_seen.aloud():
        rows = on_postgres.run(connection.connection, statement, values)
    by_postgres = {row[0]: row[1:] for row in rows}
    with open_mirror(tmp_path / "mirror.duckdb") as (duck, mirrored):
        mirrored.sync(conninfo("reader"))
        found = on_duckdb.run(duck, composer.statement(COLUMNS, engine="duckdb"), values).fetchall()
    by_duckdb = {row[0]: row[1:] for row in found}
    assert {pk: by_duckdb[pk] for pk in by_postgres} == by_postgres
    told = {pk: of_record(pk, day) for pk in by_postgres}
    assert by_postgres == {pk: tuple(tag in told[pk] for tag in TAGS) for pk in by_postgres}
    assert sum(map(any, by_postgres.values())) > (0 if days > 200 else 10), "somebody wears something"


@pytest.mark.parametrize("tag", [*TAGS, " a  b ", "ＡＢ", "\u200b"])
def test_the_database_numbers_a_tag_as_we_do(tag: str) -> None:
    with connection.cursor() as sql:
        sql.execute(f"SELECT {KEY.format(name='%s::text')}", [tag])
        assert sql.fetchone() == (tag_key(tag),)


def spells(customer: Customer) -> list[tuple[Any, ...]]:
    rows = TagSpell.objects.filter(customer=customer).order_by("pk")
    return list(rows.values_list("tag_key", "first_on", "ended_on"))


def test_a_spell_begins_and_ends_where_her_home_store_is_and_goes_with_the_tag(everybody: list[int]) -> None:
    far = Store.objects.create(code="NY", name="New York", time_zone="America/New_York")
    one = Customer.objects.create(home_store=far, known_on=TODAY, recorded_at=NOW)
    late = dt.datetime(2026, 3, 31, 2, 0, tzinfo=dt.UTC)  # the evening before in New York, the morning in Shanghai
    add_tag(one, "甲", now=late)
    assert spells(one) == [(tag_key("甲"), dt.date(2026, 3, 30), None)]
    add_tag(one, "甲", now=NOW)
    assert len(spells(one)) == 1, "confirmed, it goes on"
    remove_tag(one, "甲", now=NOW)
    gone = (None, dt.date(2026, 3, 30), None)
    assert sorted(spells(one), key=str) == sorted([gone, (tag_key("甲"), dt.date(2026, 3, 30), TODAY)], key=str)
    assert erase_tags([one.pk]) == 0
    assert erase_former_tags([one.pk]) == 1
    assert not FormerTag.objects.filter(customer=one).exists()
    assert {key for key, _first, _ended in spells(one)} == {None}, "nothing says any more what she wore"
