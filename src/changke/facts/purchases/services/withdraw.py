"""Receipts and openings of an undone batch leave every number."""

from changke.foundation.database.withdrawal import withdraw


def withdraw_purchases(*, batch_id: int) -> int:
    """How many facts were withdrawn. Lines and tenders follow their receipt."""
    return withdraw("facts_receipt", batch_id=batch_id) + withdraw("facts_opening", batch_id=batch_id)
