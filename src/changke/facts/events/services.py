"""Writing into the typed stream."""

import datetime as dt
from collections.abc import Mapping

from django.db import connection

from changke.facts.customers.models import Customer
from changke.facts.events.models import Event
from changke.foundation.access.models import Staff
from changke.foundation.errors import Invalid
from changke.foundation.organisation.models import Store
from changke.foundation.periods import business_date

KINDS: dict[str, str] = {
    "note.written": "somebody of the shop wrote a note",
    "phone.unmasked": "somebody looked at a whole phone number, and why",
    "followup.recorded": "a follow-up of the day's list: its reason and outcome",
    "stage.changed": "the customer moved from one stage to another, with the cause",
    "customer.changed": "profile fields were changed by hand: their names, not their values",
    "complaint.received": "she complained",
    "tag.added": "a tag was put on her",
    "app.opened": "she opened a page or message of ours",
}
"""Every kind of event and what it says. A kind that is not here is refused: a stream of typos helps nobody."""


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
    known = Event.objects.filter(source_key=source_key, withdrawn_by__isnull=True)
    with connection.cursor() as sql:
        # Two taps at once: the second waits here until the first has committed, then finds its event.
        sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [source_key])
    if existing := known.first():
        return existing
    event.save(force_insert=True)
    return event
