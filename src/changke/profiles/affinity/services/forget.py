"""What was proposed to somebody who was erased."""

from collections.abc import Sequence

from changke.profiles.affinity.models import Proposal


def forget_proposals(customer_ids: Sequence[int]) -> int:
    return Proposal.objects.filter(customer_id__in=customer_ids).delete()[0]
