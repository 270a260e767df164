"""What this room knows of a person: with whom she was compared."""

from collections.abc import Iterator, Sequence

from django.db.models import Q

from changke.facts.duplicates.models import Duplicate
from changke.facts.duplicates.services import erase_duplicates
from changke.foundation.persons.registry import PersonTable, Row, register


def duplicates(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Duplicate.objects.filter(Q(one__in=customer_ids) | Q(other__in=customer_ids)).order_by("pk")
    yield from rows.values("one_id", "other_id", "rule", "why", "found_at", "state", "decided_at")


register(PersonTable("duplicates", ("facts_duplicate",), duplicates, erase_duplicates))
