"""Visits of an undone batch leave every number."""

from changke.foundation.database.withdrawal import withdraw


def withdraw_visits(*, batch_id: int) -> int:
    """How many visits were withdrawn."""
    return withdraw("facts_visit", batch_id=batch_id)
