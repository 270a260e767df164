"""What this room knows of a person: her stage in each model."""

from collections.abc import Iterator, Sequence

from changke.foundation.persons.registry import PersonTable, Row, register
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.services.forget import forget_standings


def standings(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Standing.objects.filter(customer_id__in=customer_ids).order_by("customer_id", "model")
    yield from rows.values("customer_id", "model", "stage", "since", "previous")


register(PersonTable("stages", ("profiles_standing",), standings, forget_standings))
