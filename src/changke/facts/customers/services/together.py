"""Facts of several rooms that came in one batch: whom they are about is found once for all of them, and all are written
in one transaction."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from django.db import DataError, IntegrityError, transaction

from changke.facts.customers.services.meet import Meeting, Reference, find_or_create, known_since, names_told
from changke.foundation.database.rows_seen import seeing
from changke.foundation.intake import Outcome
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope


@dataclass(frozen=True)
class Whom:
    """Whom a room must know before it can write: who is written down if she is new, and who is only looked up."""

    meetings: Sequence[Meeting]
    also: Sequence[Reference] = ()


@dataclass
class Written:
    """What came of each fact, by its place, and the earliest day of a new fact of each customer."""

    outcomes: dict[int, Outcome] = field(default_factory=dict)
    days: dict[int, dt.date] = field(default_factory=dict)

    def new(self, customer_id: int | None, day: dt.date) -> None:
        """A fact of hers was written."""
        if customer_id:
            self.days[customer_id] = min(self.days.get(customer_id, day), day)


class Part(Protocol):
    """What a batch holds for one room, checked. May be asked and written more than once."""

    def whom(self) -> Whom: ...

    def write(self, people: Mapping[Reference, int]) -> Written: ...


@seeing(CHAIN_WIDE)
def take_in(parts: Sequence[Part], *, scope: Scope, now: dt.datetime) -> list[dict[int, Outcome]]:
    """What came of each part's facts. What one room cannot take costs the others nothing: then each is written in a
    transaction of its own, and the refusal is raised when the others are in."""
    try:
        return _written(parts, scope=scope, now=now)
    except (DataError, IntegrityError):
        if len(parts) < 2:
            raise
    failed: Exception | None = None
    outcomes: list[dict[int, Outcome]] = []
    for part in parts:
        try:
            outcomes += _written([part], scope=scope, now=now)
        except (DataError, IntegrityError) as error:
            failed = error
    if failed:
        raise failed
    return outcomes


@transaction.atomic
def _written(parts: Sequence[Part], *, scope: Scope, now: dt.datetime) -> list[dict[int, Outcome]]:
    whom = [part.whom() for part in parts]
    meetings = [meeting for one in whom for meeting in one.meetings]
    people = find_or_create(meetings, scope=scope, now=now, also=[who for one in whom for who in one.also])
    written = [part.write(people) for part in parts]
    days: dict[int, dt.date] = {}
    for one in written:
        for customer_id, day in one.days.items():
            days[customer_id] = min(days.get(customer_id, day), day)
    known_since(days, names_told(meetings, people))
    return [one.outcomes for one in written]
