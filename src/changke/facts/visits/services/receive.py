"""Visits of a machine's batch: checked one by one, written by one statement, in one transaction."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from changke.facts.customers.services.meet import Meeting, Reference, UnknownCustomer
from changke.facts.customers.services.together import Whom, Written, take_in
from changke.facts.visits.models import Visit
from changke.foundation.database.rows import insert
from changke.foundation.errors import DomainError
from changke.foundation.intake import ONCE, ContentDiffers, Outcome, Taken, check_moment
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import Scope
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


class Visits:
    """The visits of a batch, each checked on its own."""

    def __init__(self, visits: Sequence[NewVisit], *, now: dt.datetime) -> None:
        self.visits, self.now = visits, now
        self.refused: dict[int, Outcome] = {}
        self.days: dict[int, dt.date] = {}
        for index, visit in enumerate(visits):
            try:
                check_moment(visit.happened_at, now=now)
                self.days[index] = business_date(visit.happened_at, visit.store.time_zone)
            except DomainError as refusal:
                self.refused[index] = refusal

    def whom(self) -> Whom:
        return Whom([Meeting(one.who, one.store, day, one.name, one.source) for one, day in self._checked()])

    def write(self, people: Mapping[Reference, int]) -> Written:
        """Insert those that are new; say of each what came of it."""
        written = Written(dict(self.refused))
        rows: dict[str, tuple[object, ...]] = {}
        first: dict[str, int] = {}
        for index, day in self.days.items():
            visit = self.visits[index]
            if visit.who not in people:
                written.outcomes[index] = UnknownCustomer(value=visit.who.value)
            elif visit.source_key not in rows:
                first[visit.source_key] = index
                rows[visit.source_key] = _row(visit, people[visit.who], day, self.now)
        for key, pk, customer_id, day in insert(
            "facts_visit",
            COLUMNS,
            [row for _, row in sorted(rows.items())],
            once=ONCE,
            returning=["source_key", "id", "customer_id", "business_date"],
        ):
            written.outcomes[first[key]] = Taken(pk, is_new=True)
            written.new(customer_id, day)
        repeated = {index: self.visits[index] for index in self.days if index not in written.outcomes}
        return Written(written.outcomes | self._known_before(repeated, people), written.days)

    def _checked(self) -> list[tuple[NewVisit, dt.date]]:
        return [(self.visits[index], day) for index, day in self.days.items()]

    def _known_before(self, repeated: Mapping[int, NewVisit], people: Mapping[Reference, int]) -> dict[int, Outcome]:
        if not repeated:
            return {}
        keys = {visit.source_key for visit in repeated.values()}
        recorded = {one.source_key: one for one in Visit.objects.filter(source_key__in=keys, withdrawn_by__isnull=True)}
        outcomes: dict[int, Outcome] = {}
        for index, visit in repeated.items():
            one = recorded[visit.source_key]
            same = (one.customer_id, one.business_date) == (people[visit.who], self.days[index])
            outcomes[index] = Taken(one.pk, is_new=False) if same else ContentDiffers(key=visit.source_key)
        return outcomes


def receive(visits: Sequence[NewVisit], *, scope: Scope, now: dt.datetime) -> list[Outcome]:
    """Take in what is right and new; say of each what came of it, in the order given."""
    (outcomes,) = take_in([Visits(visits, now=now)], scope=scope, now=now)
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
