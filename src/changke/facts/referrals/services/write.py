"""What all ways of stating it share: one writer at a time, because a circle closes between two rows."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.db import connection

from changke.facts.customers.models import Customer
from changke.facts.referrals.models import How, Referral
from changke.foundation.errors import Invalid
from changke.foundation.intake import EARLIEST

REFERRING = 4_637_291
"""The lock of whoever writes statements: they are rare, and short."""


def one_at_a_time() -> None:
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(%s)", [REFERRING])


def next_key(customer_id: int) -> str:
    """Of a statement that comes after all there are about this record; one writer at a time makes it hers alone."""
    last = Referral.objects.filter(customer=customer_id).order_by("-pk").values_list("pk", flat=True).first()
    return f"referral:{customer_id}:after:{last or 0}"


def check_day(day: dt.date, *, today: dt.date) -> None:
    if day > today:
        raise Invalid(field="brought_on", reason="lies in the future")
    if day < EARLIEST.date():
        raise Invalid(field="brought_on", reason="lies too far away")


def statement(
    customer: int,
    referrer: int | None,
    *,
    person: Customer,
    brought_on: dt.date | None,
    how: How,
    source_key: str,
    time_zone: str,
    now: dt.datetime,
    staff_id: int | None = None,
    batch_id: int | None = None,
) -> Referral:
    """The row, unwritten. Without a day it is the first on which we know of her."""
    day = brought_on or person.known_on
    return Referral(
        customer_id=customer,
        referrer_id=referrer,
        how=how,
        staff_id=staff_id,
        batch_id=batch_id,
        happened_at=min(now, dt.datetime.combine(day, dt.time(), ZoneInfo(time_zone))),
        business_date=day,
        recorded_at=now,
        source_key=source_key,
    )
