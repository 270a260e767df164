"""The database itself keeps facts: no UPDATE, no DELETE, one exception."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection

from changke.facts.models import Event
from changke.foundation.models import Batch

NOON = dt.datetime(2026, 3, 1, 4, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return Event.objects.create(
        kind="note.written", happened_at=NOON, business_date=NOON.date(), recorded_at=NOON, source_key="e1"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE facts_event SET kind = 'another'",
        "UPDATE facts_event SET withdrawn_by_id = 1, kind = 'another', txid = pg_current_xact_id()",
        "UPDATE facts_event SET business_date = '2020-01-01'",
        "DELETE FROM facts_event",
    ],
)
def test_a_fact_is_neither_edited_nor_deleted(event: Event, statement: str) -> None:
    with pytest.raises(IntegrityError, match="never edited"), connection.cursor() as sql:
        sql.execute(statement)


def test_a_fact_is_withdrawn_once_by_a_batch(event: Event) -> None:
    batch = Batch.objects.create(kind="undo", title="undo", created_at=NOON)
    withdraw = "UPDATE facts_event SET withdrawn_by_id = %s, txid = pg_current_xact_id()"
    with connection.cursor() as sql:
        sql.execute(withdraw, [batch.pk])
        event.refresh_from_db()
        assert event.withdrawn_by_id == batch.pk
        with pytest.raises(IntegrityError, match="never edited"):
            sql.execute(withdraw, [batch.pk])


def test_a_withdrawn_fact_makes_room_for_its_mended_successor(event: Event) -> None:
    again = {
        "kind": "note.written",
        "happened_at": NOON,
        "business_date": NOON.date(),
        "recorded_at": NOON,
        "source_key": "e1",
    }
    batch = Batch.objects.create(kind="undo", title="undo", created_at=NOON)
    with connection.cursor() as sql:
        sql.execute("UPDATE facts_event SET withdrawn_by_id = %s, txid = pg_current_xact_id()", [batch.pk])
    Event.objects.create(**again)
    assert Event.objects.filter(source_key="e1").count() == 2
