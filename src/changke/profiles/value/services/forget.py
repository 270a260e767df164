"""The prediction of somebody who was erased."""

from collections.abc import Sequence

from changke.profiles.value.models import Prediction


def forget_predictions(customer_ids: Sequence[int]) -> int:
    return Prediction.objects.filter(customer_id__in=customer_ids).delete()[0]
