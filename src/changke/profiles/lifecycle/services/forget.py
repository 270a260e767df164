"""Where somebody who was erased stands."""

from collections.abc import Sequence

from changke.profiles.lifecycle.models import Standing


def forget_standings(customer_ids: Sequence[int]) -> int:
    return Standing.objects.filter(customer_id__in=customer_ids).delete()[0]
