"""What scores said of somebody who was erased."""

from collections.abc import Sequence

from changke.facts.scores.models import ScoreValue
from changke.foundation.database.append_only import current_xid


def forget_scores(customer_ids: Sequence[int]) -> int:
    """Empty all of them; how many said something. The rows stay, so that the mirror sees them go."""
    held = ScoreValue.objects.filter(customer_id__in=customer_ids).exclude(number=None, text=None)
    return held.update(number=None, text=None, txid=current_xid())
