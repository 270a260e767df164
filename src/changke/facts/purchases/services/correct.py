"""The source says something else of a receipt than before: the earlier one is withdrawn, and a further one recorded."""

import datetime as dt

from django.db import transaction

from changke.facts.purchases.models import Receipt, ReceiptKind
from changke.foundation.batches.services import note_correction
from changke.foundation.database.append_only import current_xid
from changke.foundation.organisation.models import Store


@transaction.atomic
def withdraw_receipt(*, source: str, store: Store, number: str, title: str, now: dt.datetime) -> int:
    """Withdraw the sale or use of this number, under a batch that says why; how many there were."""
    standing = Receipt.objects.filter(source=source, store=store, number=number, withdrawn_by__isnull=True).exclude(
        kind=ReceiptKind.RETURN
    )
    if not standing.exists():
        return 0
    return standing.update(withdrawn_by=note_correction(title=title, now=now), txid=current_xid())
