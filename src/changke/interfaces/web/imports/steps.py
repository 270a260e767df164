"""Where a batch stands on its way, and how it is sent on. Each step happens once, however often it is asked for."""

from django.db import transaction
from django.urls import reverse

from changke.foundation.audit.rules import By
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.services import ask_withdrawal, change_draft, hand_over
from changke.interfaces import jobs

UNDER_WAY = frozenset({BatchStatus.WAITING.value, BatchStatus.RUNNING.value})
BUSY = UNDER_WAY | {BatchStatus.WITHDRAWING.value}


def place_of(batch: Batch) -> str:
    """The page on which this batch goes on."""
    if batch.status == BatchStatus.DRAFT:
        return reverse("imports-match" if batch.options.get("check") else "imports-map", args=[batch.pk])
    if batch.status in UNDER_WAY:
        return reverse("imports-run", args=[batch.pk])
    return reverse("imports-result", args=[batch.pk])


def ask_for_check(batch: Batch) -> None:
    """Have the files read in the background; an answer to an earlier wish is thrown away."""
    with transaction.atomic():
        check = int(batch.options.get("check") or 0) + 1
        if change_draft(batch.pk, options={"check": check, "analysis": None}):
            jobs.check_batch.defer(batch_id=batch.pk, check=check)


def send_off(batch: Batch, *, by: By) -> bool:
    """Have the batch loaded. The status and the job are written together: neither can be without the other."""
    with transaction.atomic():
        if not hand_over(batch.pk, by=by):
            return False
        jobs.run_batch.defer(batch_id=batch.pk)
    return True


def take_back(batch: Batch, *, by: By) -> bool:
    """Have the batch withdrawn."""
    with transaction.atomic():
        if not ask_withdrawal(batch.pk, by=by):
            return False
        jobs.undo_batch.defer(batch_id=batch.pk)
    return True
