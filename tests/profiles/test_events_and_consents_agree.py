"""Events and consents as columns, as of any day: PostgreSQL, DuckDB and the conditions' own reading in Python agree."""

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from changke.engine.definitions import Scope
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.engines import postgres as on_postgres
from changke.facts.consents.models import Consent
from changke.facts.customers.queries import families_of
from changke.foundation.database import rows_seen
from changke.foundation.database.connections import conninfo
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes import agreed, happened, made
from changke.profiles.attributes.queries import settings_of
from changke.profiles.conditions import Beyond, read_condition
from changke.profiles.lifecycle.queries import own_composer
from changke.profiles.lifecycle.services.dry_run import draft
from changke.profiles.lifecycle.services.mirror import open_mirror
from changke.profiles.segments.asking import Words, persons
from tests.profiles.segments.test_agreement import everybody, words
from tests.profiles.test_models_of_deeds import model
from tests.profiles.world import TODAY

__all__ = ["everybody", "words"]

EVENTS = [
    f"event_count_{kind}{window}"
    for kind in ("app_opened", "complaint_received")
    for window in ("", "_30d", "_since_visit")
]
CONSENTS = ["consent_marketing_by_sms", "consent_marketing_by_wechat", "consent_health"]
NAMES = [*EVENTS, *CONSENTS]


def opened(days: int) -> dict[str, Any]:
    deed = {"kind": "event", "of": "app.opened"}
    return {"measure": "count", "deed": deed, "days": days, "op": ">=", "value": 1}


BOTH = {"or": [opened(30), {"consent": "marketing", "channel": "sms"}]}


def said_by(ids: list[int], day: dt.date) -> dict[int, set[str]]:
    """Person -> the consents that hold at the end of the day: the last under each record that said something, all of
    them yes."""
    found: dict[int, set[str]] = {}
    for person, records in families_of(ids).items():
        rows = Consent.objects.filter(customer__in=records, business_date__lte=day, withdrawn_by=None)
        ordered = sorted(rows, key=lambda one: (one.purpose, one.channel, one.customer_id, one.happened_at,
                                                not one.given, one.pk))  # fmt: skip
        last: dict[str, list[bool]] = {}
        for (purpose, channel, _record), told in itertools.groupby(
            ordered, key=lambda one: (one.purpose, one.channel, one.customer_id)
        ):
            last.setdefault(agreed.consent_name(purpose, channel), []).append(list(told)[-1].given)
        found[person] = {name for name, given in last.items() if all(given)}
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("ago", [0, 2, 40])
def test_both_engines_say_of_any_day_what_python_reads(
    everybody: list[int], words: Words, tmp_path: Path, ago: int
) -> None:
    composer, day, scope = own_composer("en", deeds=NAMES), TODAY - dt.timedelta(days=ago), Scope(everybody)
    values = {**settings_of(the_chain()), "today": day, **scope.values}
    connection.ensure_connection()
    with rows_seen.aloud():
        rows = on_postgres.run(connection.connection, composer.statement(NAMES, engine="postgres", scope=scope), values)
    by_postgres = {row[0]: dict(zip(NAMES, row[1:], strict=True)) for row in rows}
    with open_mirror(tmp_path / "mirror.duckdb", models=[draft(model(BOTH), the_chain())]) as (duck, mirrored):
        mirrored.sync(conninfo("reader"))
        found = on_duckdb.run(duck, composer.statement(NAMES, engine="duckdb"), values).fetchall()
    by_duckdb = {row[0]: dict(zip(NAMES, row[1:], strict=True)) for row in found}
    assert {pk: by_duckdb[pk] for pk in by_postgres} == by_postgres
    people, said = persons(sorted(by_postgres), words, today=day), said_by(sorted(by_postgres), day)
    asked = {name: read_condition(made.tree_of(name), {}, beyond=Beyond()) for name in NAMES}
    for pk, row in by_postgres.items():
        for name in EVENTS:
            assert asked[name].holds(people[pk]) == bool(row[name] is not None and row[name] > 0), (pk, name)
        assert {name for name in CONSENTS if row[name]} == said[pk], pk
        if not ago:
            assert {name for name in CONSENTS if asked[name].holds(people[pk])} == said[pk]
    for name in (*EVENTS[:3], *([CONSENTS[0]] if ago < 3 else [])):
        assert len({row[name] for row in by_postgres.values()}) > 1, name


def test_every_kind_and_topic_has_a_name_of_its_own_that_fits_a_column() -> None:
    kinds = [happened.event_name(kind, days=36_500, since_visit=False) for kind in happened.ASKED.values()]
    assert len(set(kinds)) == len(kinds)
    assert [happened.kind_of(name) for name in kinds] == list(happened.ASKED.values())
    assert all(made.is_made(name) and len(name) < 60 for name in (*kinds, *agreed.NAMES))
    assert len(agreed.NAMES) == len(agreed.TOPICS)
