"""A sale written down by mistake is taken back: it never happened, so it leaves every number.

A return would say that money went back, and refunds would lie. Withdrawal is the one thing that may be written on a
fact (an undone batch withdraws its facts), so a voided receipt is the undone batch of one. Who did it, when and why
stands in the batch and in the audit trail.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from changke.facts.customers.queries import family_of
from changke.facts.purchases.models import Line, Receipt, ReceiptKind, Tender
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.batches.services import VOID, withdrawn_batch
from changke.foundation.database.append_only import current_xid
from changke.foundation.errors import DomainError, NotFound
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date

RESTORE_WITHIN = dt.timedelta(minutes=15)
"""As long as the till still remembers the customer; later the sale is written down anew."""


class NotVoidable(DomainError):
    code, status = "receipt_not_voidable", 409
    message = (
        "Only a receipt written down today, by hand or by a till, can be taken back."
        " Record a return, or undo the batch that brought it."
    )


class GivenBackAlready(DomainError):
    code, status = "receipt_given_back", 409
    message = "Something of this receipt was given back already. Take that return back first."


class NotRestorable(DomainError):
    code, status = "receipt_not_restorable", 409
    message = "This receipt cannot be put back any more. Write the sale down again."


@transaction.atomic
def void(receipt_id: int, *, scope: Scope, staff: Staff | None, by: By, reason: str = "", now: dt.datetime) -> Receipt:
    """Take back a receipt that was recorded on the store's day of `now`. A second call finds it gone.

    The whole day is open, because mistakes are found when the drawer is counted; yesterday is closed, because somebody
    has acted on it: it is mended by a return.
    """
    receipt = _locked(Receipt.objects.for_scope(scope).filter(pk=receipt_id, withdrawn_by__isnull=True))
    zone = receipt.store.time_zone
    if receipt.batch_id is not None or business_date(receipt.recorded_at, zone) != business_date(now, zone):
        raise NotVoidable
    if receipt.number and receipt.kind != ReceiptKind.RETURN and _is_returned(receipt):
        raise GivenBackAlready
    why = {"receipt": receipt.pk, "reason": reason[:200]}
    batch = withdrawn_batch(kind=VOID, title=receipt.number, options=why, created_by=staff, now=now)
    Receipt.objects.filter(pk=receipt.pk).update(withdrawn_by=batch, txid=current_xid())
    _trail("receipt.voided", receipt, by, before=_money(receipt), reason=reason, now=now)
    return receipt


@transaction.atomic
def restore(receipt_id: int, *, scope: Scope, by: By, now: dt.datetime) -> tuple[Receipt, bool]:
    """Put back what was just taken back: the same receipt once more, as a further fact; and whether it is new.

    Safe to repeat: its key names one living receipt.
    """
    gone = _locked(Receipt.objects.for_scope(scope).filter(pk=receipt_id, withdrawn_by__kind=VOID))
    if living := Receipt.objects.filter(source_key=gone.source_key, withdrawn_by__isnull=True).first():
        return living, False
    batch = gone.withdrawn_by
    assert batch is not None, "found by it"
    if batch.withdrawn_at is None or now - batch.withdrawn_at > RESTORE_WITHIN:
        raise NotRestorable
    lines = list(Line.objects.filter(receipt=gone).order_by("position"))
    tenders = list(Tender.objects.filter(receipt=gone).order_by("pk"))
    again = Receipt.objects.create(**_copied(gone), recorded_at=now)
    for line in lines:
        line.pk, line.receipt = None, again
    for tender in tenders:
        tender.pk, tender.receipt = None, again
    Line.objects.bulk_create(lines)
    Tender.objects.bulk_create(tenders)
    _trail("receipt.restored", again, by, after=_money(again), now=now)
    return again, True


KEPT = (
    "kind", "number", "source", "customer_id", "store_id", "staff_id", "original_number", "cash_minor",
    "consumed_minor", "margin_minor", "margin_basis", "items", "happened_at", "business_date", "source_key",
)  # fmt: skip


def _copied(receipt: Receipt) -> Mapping[str, object]:
    return {name: getattr(receipt, name) for name in KEPT}


def _locked(rows: object) -> Receipt:
    found: Receipt | None = rows.select_related("store").select_for_update(of=("self",), no_key=True).first()  # type: ignore[attr-defined]
    if found is None:
        raise NotFound
    return found


MONEY = ("kind", "number", "cash_minor", "consumed_minor", "business_date")


def _money(receipt: Receipt) -> dict[str, object]:
    return {name: getattr(receipt, name) for name in MONEY}


def _trail(action: str, receipt: Receipt, by: By, **told: Any) -> None:
    record(by=by, action=action, subject=f"receipt:{receipt.pk}", customer_id=receipt.customer_id, codes=MONEY, **told)


def _is_returned(receipt: Receipt) -> bool:
    hers = {"customer__in": family_of(receipt.customer_id)} if receipt.customer_id else {"customer": None}
    named = Receipt.objects.filter(original_number=receipt.number, kind=ReceiptKind.RETURN, withdrawn_by__isnull=True)
    return named.filter(source=receipt.source, store=receipt.store, **hers).exists()
