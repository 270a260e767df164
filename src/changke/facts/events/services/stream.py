"""Writing into the typed stream."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from changke.facts.customers.models import Customer
from changke.facts.customers.services.meet import Meeting, Reference, UnknownCustomer
from changke.facts.customers.services.together import Whom, Written, take_in
from changke.facts.events.models import Event
from changke.facts.events.rules import KINDS
from changke.foundation.access.models import Staff
from changke.foundation.database.rows import insert
from changke.foundation.database.withdrawal import withdraw
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.intake import ONCE, ContentDiffers, Outcome, Taken, check_moment
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date

OUR_OWN = frozenset(
    {
        "stage.changed",
        "warning.raised",
        "warning.closed",
        "phone.unmasked",
        "data.requested",
        "followup.recorded",
        "customer.changed",
        "customer.registered",
    }
)
"""Kinds that only the house records, while it does what they tell: a machine that could write them could forge them."""


def record(
    kind: str,
    *,
    source_key: str,
    happened_at: dt.datetime,
    now: dt.datetime,
    customer: Customer | None = None,
    store: Store | None = None,
    staff: Staff | None = None,
    data: Mapping[str, object] | None = None,
    time_zone: str = "Asia/Shanghai",
) -> Event:
    """Record that something happened. Safe to repeat: the same source key gets the same event."""
    if kind not in KINDS:
        raise Invalid(field="kind", reason="there is no event %(kind)s", kind=kind)
    event = Event(
        kind=kind,
        customer=customer,
        store=store,
        staff=staff,
        data=dict(data or {}),
        happened_at=happened_at,
        business_date=business_date(happened_at, store.time_zone if store else time_zone),
        recorded_at=now,
        source_key=source_key,
    )
    if existing := recorded(source_key):
        return existing
    event.save(force_insert=True)
    return event


def recorded(source_key: str) -> Event | None:
    """The event of this key, if there is one already. Of two who ask at once, inside transactions, the second waits
    until the first has committed: so a service that writes more than an event can be made safe to repeat."""
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [source_key])
    return Event.objects.filter(source_key=source_key, withdrawn_by__isnull=True).first()


@dataclass(frozen=True)
class NewEvent:
    """An event as a machine tells it. The same `source_key` with the same contents is the same event."""

    kind: str
    source_key: str
    happened_at: dt.datetime
    store: Store | None = None
    who: Reference | None = None
    source: str = ""
    staff_id: int | None = None
    data: Mapping[str, object] = field(default_factory=dict)


COLUMNS = {
    "kind": "text",
    "customer_id": "bigint",
    "store_id": "bigint",
    "staff_id": "bigint",
    "data": "jsonb",
    "happened_at": "timestamptz",
    "business_date": "date",
    "recorded_at": "timestamptz",
    "source_key": "text",
}


class Events:
    """The events of a batch, each checked on its own. `time_zone` is the chain's, for those that happened in no
    store."""

    def __init__(self, events: Sequence[NewEvent], *, time_zone: str, now: dt.datetime) -> None:
        self.events, self.now = events, now
        self.refused: dict[int, Outcome] = {}
        self.days: dict[int, dt.date] = {}
        for index, event in enumerate(events):
            try:
                _check(event, now)
                zone = event.store.time_zone if event.store else time_zone
                self.days[index] = business_date(event.happened_at, zone)
            except DomainError as refusal:
                self.refused[index] = refusal

    def whom(self) -> Whom:
        told = [(self.events[index], day) for index, day in self.days.items()]
        return Whom([Meeting(one.who, one.store, day, source=one.source) for one, day in told if one.who is not None])

    def write(self, people: Mapping[Reference, int]) -> Written:
        """Insert those that are new; say of each what came of it."""
        written = Written(dict(self.refused))
        rows: dict[str, tuple[object, ...]] = {}
        first: dict[str, int] = {}
        for index, day in self.days.items():
            event = self.events[index]
            if event.who is not None and event.who not in people:
                written.outcomes[index] = UnknownCustomer(value=event.who.value)
            elif event.source_key not in rows:
                first[event.source_key] = index
                rows[event.source_key] = _row(event, people[event.who] if event.who else None, day, self.now)
        for key, pk, customer_id, day in insert(
            "facts_event",
            COLUMNS,
            [row for _, row in sorted(rows.items())],
            once=ONCE,
            returning=["source_key", "id", "customer_id", "business_date"],
        ):
            written.outcomes[first[key]] = Taken(pk, is_new=True)
            written.new(customer_id, day)
        repeated = {index: self.events[index] for index in self.days if index not in written.outcomes}
        return Written(written.outcomes | _known_before(repeated, people), written.days)


def receive(events: Sequence[NewEvent], *, scope: Scope, time_zone: str, now: dt.datetime) -> list[Outcome]:
    """Take in what is right and new; say of each what came of it, in the order given."""
    (outcomes,) = take_in([Events(events, time_zone=time_zone, now=now)], scope=scope, now=now)
    return [outcomes[index] for index in range(len(events))]


def _known_before(repeated: Mapping[int, NewEvent], people: Mapping[Reference, int]) -> dict[int, Outcome]:
    if not repeated:
        return {}
    keys = {event.source_key for event in repeated.values()}
    before = {one.source_key: one for one in Event.objects.filter(source_key__in=keys, withdrawn_by__isnull=True)}
    outcomes: dict[int, Outcome] = {}
    for index, event in repeated.items():
        one = before[event.source_key]
        told = (event.kind, people[event.who] if event.who else None, event.happened_at, dict(event.data))
        same = told == (one.kind, one.customer_id, one.happened_at, one.data)
        outcomes[index] = Taken(one.pk, is_new=False) if same else ContentDiffers(key=event.source_key)
    return outcomes


def _check(event: NewEvent, now: dt.datetime) -> None:
    if event.kind not in KINDS:
        raise Invalid(field="kind", reason="there is no event %(kind)s", kind=event.kind)
    if event.kind in OUR_OWN:
        raise Invalid(field="kind", reason="%(kind)s is recorded by the house itself", kind=event.kind)
    check_moment(event.happened_at, now=now)


def _row(event: NewEvent, customer_id: int | None, day: dt.date, now: dt.datetime) -> tuple[object, ...]:
    return (
        event.kind,
        customer_id,
        event.store.pk if event.store else None,
        event.staff_id,
        json.dumps(dict(event.data)),
        event.happened_at,
        day,
        now,
        event.source_key,
    )


def record_selected(kind: str, beginning: str, select: str, values: Mapping[str, Any], *, now: dt.datetime) -> int:
    """Record many events in one statement, from rows that a query yields. Returns how many.

    Parameters
    ----------
    beginning
        The WITH of the query, or nothing.
    select
        SELECT of customer_id, store_id, data, happened_at, business_date, source_key; `%(now)s` is bound.
    """
    if kind not in KINDS:
        raise Invalid(field="kind", reason="there is no event %(kind)s", kind=kind)
    with connection.cursor() as sql:
        sql.execute(
            f"{beginning} INSERT INTO facts_event (customer_id, store_id, data, happened_at, business_date, source_key,"  # noqa: S608
            f" kind, recorded_at) SELECT found.*, %(kind)s, %(now)s FROM ({select}) AS found",
            {**values, "kind": kind, "now": now},
        )
        return int(sql.rowcount)


def record_notes(*, batch_id: int, now: dt.datetime) -> int:
    """The events of the notes that this transaction took in (`intake_note`); how many are new."""
    with connection.cursor() as sql:
        sql.execute(
            """
            INSERT INTO facts_event (kind, customer_id, store_id, staff_id, data, happened_at, business_date,
              recorded_at, source_key, batch_id)
            SELECT 'note.written', note.customer_id, intake.store_id, intake.staff_id,
              jsonb_build_object('note', note.id, 'photo', false), intake.happened_at, intake.business_date, %(now)s,
              intake.source_key, %(batch)s
            FROM intake_note AS intake JOIN facts_note AS note USING (source_key)
            WHERE note.batch_id = %(batch)s ORDER BY intake.k
            ON CONFLICT (source_key) WHERE withdrawn_by_id IS NULL DO NOTHING
            """,
            {"now": now, "batch": batch_id},
        )
        return int(sql.rowcount)


def withdraw_events(*, batch_id: int) -> int:
    """How many events of an undone batch were withdrawn."""
    return withdraw("facts_event", batch_id=batch_id)
