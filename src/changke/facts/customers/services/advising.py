"""Who looked after whom, from when to when: kept beside the customer's present adviser, whoever wrote that.

Loads, bulk changes, pages and machines all write `Customer.adviser`. Instead of asking each of them to remember the
past too, the past follows: `follow` reads whose row changed and closes and opens what no longer fits. Verbs that know
who did it and why call `note` in their own transaction, so that `follow` finds nothing left to do.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from changke.facts.customers.models import AdvisingReason
from changke.foundation.cursors import close_window, open_window

CURSOR = "customers.advising"
CHUNK = 5_000
"""Customers in one transaction: well under a second."""

CLOSE = """
UPDATE facts_advising AS past SET until = %(now)s FROM facts_customer AS customer
WHERE past.customer_id = customer.id AND past.until IS NULL AND customer.id = ANY(%(ids)s)
  AND past.staff_id IS DISTINCT FROM customer.adviser_id
"""
OPEN = """
INSERT INTO facts_advising (customer_id, staff_id, since, reason, given_by_id, batch_id)
SELECT id, adviser_id, %(now)s, %(reason)s, %(by)s, %(batch)s FROM facts_customer AS customer
WHERE id = ANY(%(ids)s) AND adviser_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM facts_advising AS past WHERE past.customer_id = customer.id AND past.until IS NULL)
ORDER BY id
ON CONFLICT (customer_id) WHERE until IS NULL DO NOTHING
"""
DIFFERENT = """
SELECT customer.id FROM facts_customer AS customer
LEFT JOIN facts_advising AS past ON past.customer_id = customer.id AND past.until IS NULL
WHERE customer.txid >= %(since)s::text::xid8 AND customer.txid < %(below)s::text::xid8
  AND customer.adviser_id IS DISTINCT FROM past.staff_id
ORDER BY customer.id LIMIT %(limit)s
"""


@transaction.atomic
def note(
    customer_ids: Sequence[int],
    *,
    by_id: int | None = None,
    reason: str = AdvisingReason.SEEN,
    batch_id: int | None = None,
    now: dt.datetime,
) -> None:
    """The present advisers of these customers are theirs from now on; where that was so before, nothing is written."""
    values: dict[str, Any] = {
        "ids": list(customer_ids),
        "now": now,
        "reason": reason,
        "by": by_id,
        "batch": batch_id,
    }
    with connection.cursor() as sql:
        sql.execute(CLOSE, values)
        sql.execute(OPEN, values)


def follow(now: dt.datetime) -> int:
    """Read whose row changed since the last call and bring the past of their advisers up to date; how many differed.
    Safe to repeat, and to stop at any point."""
    window = open_window(CURSOR)
    if window.since > window.below:  # a restored database counts its transactions anew
        window = type(window)(0, window.below)
    if window.is_empty:
        return 0
    total = 0
    while True:
        with connection.cursor() as sql:
            sql.execute(DIFFERENT, {"since": window.since, "below": window.below, "limit": CHUNK})
            ids = [row[0] for row in sql.fetchall()]
        if ids:
            note(ids, reason=AdvisingReason.SEEN, now=now)
        total += len(ids)
        if len(ids) < CHUNK:
            close_window(CURSOR, window)
            return total
