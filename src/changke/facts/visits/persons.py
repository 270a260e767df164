"""What this room knows of a person: days in a store, under her bare number."""

from collections.abc import Iterator, Sequence

from changke.facts.visits.models import Visit
from changke.foundation.persons.registry import PersonTable, Row, register


def visits(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Visit.objects.filter(customer_id__in=customer_ids, withdrawn_by__isnull=True).order_by("happened_at", "pk")
    yield from rows.values("customer_id", "store__name", "staff__name", "purpose", "source", "happened_at")


register(PersonTable("visits", ("facts_visit",), visits, stays="books"))
