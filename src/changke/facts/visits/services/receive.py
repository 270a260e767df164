"""Visits of a machine's batch: checked one by one, written by one statement, in one transaction."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from changke.facts.customers.services.meet import Meeting, Reference, UnknownCustomer, find_or_create, known_since
from changke.facts.visits.models import Visit
from changke.foundation.database.rows import insert
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import DomainError
from changke.foundation.intake import ONCE, ContentDiffers, Outcome, Taken, check_moment
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.foundation.periods import business_date

COLUMNS = {
    "customer_id": "bigint",
    "store_id": "bigint",
    "staff_id": "bigint",
    "purpose": "text",
    "source": "text",
    "happened_at": "timestamptz",
    "business_date": "date",
    "recorded_at": "timestamptz",
    "source_key": "text",
}


@dataclass(frozen=True)
class NewVisit:
    """A visit as a machine tells it. The same `source_key` for the same customer and day is the same visit."""

    store: Store
    who: Reference
    source: str
    source_key: str
    happened_at: dt.datetime
    name: str = ""
    purpose: str = ""
    staff_id: int | None = None


@seeing(CHAIN_WIDE)
@transaction.atomic
def receive(visits: Sequence[NewVisit], *, scope: Scope, now: dt.datetime) -> list[Outcome]:
    """Take in what is right and new; say of each what came of it, in the order given."""
    outcomes: dict[int, Outcome] = {}
    days: dict[int, dt.date] = {}
    for index, visit in enumerate(visits):
        try:
            check_moment(visit.happened_at, now=now)
            days[index] = business_date(visit.happened_at, visit.store.time_zone)
        except DomainError as refusal:
            outcomes[index] = refusal
    people = find_or_create(
        [Meeting(visits[i].who, visits[i].store, day, visits[i].name, visits[i].source) for i, day in days.items()],
        scope=scope,
        now=now,
    )
    rows: dict[str, tuple[object, ...]] = {}
    first: dict[str, int] = {}
    for index, day in days.items():
        visit = visits[index]
        if visit.who not in people:
            outcomes[index] = UnknownCustomer(value=visit.who.value)
        elif visit.source_key not in rows:
            first[visit.source_key] = index
            rows[visit.source_key] = _row(visit, people[visit.who], day, now)
    earliest: dict[int, dt.date] = {}
    for key, pk, customer_id, day in insert(
        "facts_visit",
        COLUMNS,
        [row for _, row in sorted(rows.items())],
        once=ONCE,
        returning=["source_key", "id", "customer_id", "business_date"],
    ):
        outcomes[first[key]] = Taken(pk, is_new=True)
        earliest[customer_id] = min(earliest.get(customer_id, day), day)
    known_since(earliest)
    repeated = {index: visits[index] for index in days if index not in outcomes}
    keys = {visit.source_key for visit in repeated.values()}
    recorded = {one.source_key: one for one in Visit.objects.filter(source_key__in=keys, withdrawn_by__isnull=True)}
    for index, visit in repeated.items():
        one = recorded[visit.source_key]
        same = (one.customer_id, one.business_date) == (people[visit.who], days[index])
        outcomes[index] = Taken(one.pk, is_new=False) if same else ContentDiffers(key=visit.source_key)
    return [outcomes[index] for index in range(len(visits))]


def _row(visit: NewVisit, customer_id: int, day: dt.date, now: dt.datetime) -> tuple[object, ...]:
    return (
        customer_id,
        visit.store.pk,
        visit.staff_id,
        visit.purpose[:120],
        visit.source,
        visit.happened_at,
        day,
        now,
        visit.source_key,
    )
