"""Have a bulk change done, or taken back. The status and the job are written together."""

from django.db import transaction

from changke.foundation.audit.rules import By
from changke.foundation.batches.models import Batch
from changke.foundation.batches.services import ask_withdrawal
from changke.interfaces import jobs


def send_off(batch: Batch) -> None:
    jobs.run_batch.defer(batch_id=batch.pk)


def take_back(batch: Batch, *, by: By) -> bool:
    """True exactly once."""
    with transaction.atomic():
        if not ask_withdrawal(batch.pk, by=by):
            return False
        jobs.undo_batch.defer(batch_id=batch.pk)
    return True
