"""The groups of somebody who was erased."""

from collections.abc import Sequence

from changke.profiles.segments.models import SegmentMember


def forget_memberships(customer_ids: Sequence[int]) -> int:
    return SegmentMember.objects.filter(customer_id__in=customer_ids).delete()[0]
