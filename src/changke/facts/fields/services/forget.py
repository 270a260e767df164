"""What stands in the fields of somebody who was erased."""

from collections.abc import Sequence

from changke.facts.fields.models import FieldReplaced, FieldValue
from changke.foundation.database.append_only import current_xid


def forget_values(customer_ids: Sequence[int]) -> int:
    """Empty all of them; how many held something. The rows stay, so that the mirror sees them go."""
    held = FieldValue.objects.filter(customer_id__in=customer_ids).exclude(text=None, number=None, day=None)
    return held.update(text=None, number=None, day=None, txid=current_xid())


def forget_replaced(customer_ids: Sequence[int]) -> int:
    """What loads wrote over. Undoing such a load then gives nothing back."""
    return FieldReplaced.objects.filter(customer_id__in=customer_ids).delete()[0]
