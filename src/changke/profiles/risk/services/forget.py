"""The warnings about somebody who was erased."""

from collections.abc import Sequence

from changke.profiles.risk.models import ChurnWarning


def forget_warnings(customer_ids: Sequence[int]) -> int:
    return ChurnWarning.objects.filter(customer_id__in=customer_ids).delete()[0]
