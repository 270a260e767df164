"""What this room knows of a person. Events hold codes; what people wrote stands in rows that can be blanked."""

from collections.abc import Iterator, Sequence

from changke.facts.events.models import Event
from changke.foundation.persons.registry import PersonTable, Row, register


def events(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Event.objects.filter(customer_id__in=customer_ids, withdrawn_by__isnull=True).order_by("happened_at", "pk")
    yield from rows.values("customer_id", "kind", "store__name", "staff__name", "happened_at", "data")


register(PersonTable("events", ("facts_event",), events, stays="codes"))
