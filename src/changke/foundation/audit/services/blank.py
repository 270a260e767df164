"""Erasing a person from the trail: what was done stays, what it said about her goes."""

import datetime as dt

from django.db import connection, transaction

from changke.foundation.audit.rules import BLANKED, By
from changke.foundation.audit.services.record import record


@transaction.atomic
def blank(customer_id: int, *, by: By, now: dt.datetime) -> int:
    """Empty the values of every line about her; how many there were. No line goes and no digest changes."""
    with connection.cursor() as sql:
        sql.execute(
            "UPDATE foundation_auditline SET before = NULL, after = NULL, reason = '', salt = NULL "
            "WHERE customer_id = %s AND salt IS NOT NULL",
            [customer_id],
        )
        blanked = int(sql.rowcount)
    record(by=by, action=BLANKED, subject=f"customer:{customer_id}", customer_id=customer_id, now=now)
    return blanked
