"""A visit, by hand or from a machine."""

import datetime as dt

from django.db import connection, transaction

from changke.facts.customers.models import Customer
from changke.facts.visits.models import Visit
from changke.foundation.access.models import Staff
from changke.foundation.database.append_only import current_xid
from changke.foundation.errors import Invalid
from changke.foundation.organisation.models import Store
from changke.foundation.periods import business_date

CLOCK_TOLERANCE = dt.timedelta(minutes=10)
"""A till's clock may run ahead by this much before its facts are taken to lie in the future."""


@transaction.atomic
def record_visit(
    *,
    customer: Customer,
    store: Store,
    staff: Staff | None = None,
    purpose: str = "",
    source_key: str,
    source: str = "hand",
    happened_at: dt.datetime,
    now: dt.datetime,
) -> Visit:
    """She was here. Safe to repeat: the same source key gets the same visit."""
    if happened_at > now + CLOCK_TOLERANCE:
        raise Invalid(field="happened_at", reason="lies in the future")
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [source_key])
    if existing := Visit.objects.filter(source_key=source_key, withdrawn_by__isnull=True).first():
        return existing
    day = business_date(happened_at, store.time_zone)
    Customer.objects.filter(pk=customer.pk, known_on__gt=day).update(known_on=day, txid=current_xid())
    return Visit.objects.create(
        customer=customer,
        store=store,
        staff=staff,
        purpose=purpose[:120],
        source=source,
        source_key=source_key,
        happened_at=happened_at,
        business_date=day,
        recorded_at=now,
    )
