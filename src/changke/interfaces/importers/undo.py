"""Undo of a load: its facts are withdrawn, its customers hidden where nothing else knows them. Nothing is deleted."""

import datetime as dt

from django.db import connection

from changke.facts.customers.services.hide import hide
from changke.facts.purchases.services.withdraw import withdraw_purchases
from changke.facts.visits.services.withdraw import withdraw_visits
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.errors import DomainError

UNDOABLE = frozenset({BatchStatus.DONE, BatchStatus.FAILED, BatchStatus.WITHDRAWING, BatchStatus.WITHDRAWN})


class NotUndoable(DomainError):
    code, status = "batch_not_undoable", 409
    message = "This batch is %(status)s; only a load that is done or failed can be undone."


def undo(batch_id: int, *, now: dt.datetime) -> int:
    """Withdraw everything the batch brought; how many facts. Safe to repeat after a crash."""
    batch = Batch.objects.get(pk=batch_id)
    if batch.status not in UNDOABLE:
        raise NotUndoable(status=batch.status)
    Batch.objects.filter(pk=batch_id).update(status=BatchStatus.WITHDRAWING)
    withdrawn = withdraw_purchases(batch_id=batch_id) + withdraw_visits(batch_id=batch_id)
    hide(known_by_nobody_else(batch_id))
    Batch.objects.filter(pk=batch_id).update(status=BatchStatus.WITHDRAWN, withdrawn_at=now)
    return withdrawn


def known_by_nobody_else(batch_id: int) -> list[int]:
    """Customers whom the batch made and about whom no living fact, note or tag speaks."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM facts_customer AS customer WHERE batch_id = %(batch)s AND is_active
              AND NOT EXISTS (SELECT FROM facts_receipt WHERE customer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_visit WHERE customer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_opening WHERE customer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_event WHERE customer_id = customer.id AND withdrawn_by_id IS NULL
                              AND kind <> 'stage.changed')
              AND NOT EXISTS (SELECT FROM facts_note WHERE customer_id = customer.id)
              AND NOT EXISTS (SELECT FROM facts_tag WHERE customer_id = customer.id)
            ORDER BY id
            """,
            {"batch": batch_id},
        )
        return [row[0] for row in cursor.fetchall()]
