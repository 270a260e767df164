"""What this room knows of a person: what is to be expected of her."""

from collections.abc import Iterator, Sequence

from changke.foundation.persons.registry import PersonTable, Row, register
from changke.profiles.value.models import Prediction
from changke.profiles.value.services.forget import forget_predictions


def predicted(customer_ids: Sequence[int]) -> Iterator[Row]:
    yield from Prediction.objects.filter(customer_id__in=customer_ids).order_by("customer_id").values()


register(PersonTable("predictions", ("profiles_prediction",), predicted, forget_predictions))
