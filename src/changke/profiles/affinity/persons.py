"""What this room knows of a person: what is proposed to her."""

from collections.abc import Iterator, Sequence

from changke.foundation.persons.registry import PersonTable, Row, register
from changke.profiles.affinity.models import Proposal
from changke.profiles.affinity.services.forget import forget_proposals


def proposals(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Proposal.objects.filter(customer_id__in=customer_ids).order_by("customer_id")
    yield from rows.values("customer_id", "as_of", "items", "had")


register(PersonTable("proposals", ("profiles_proposal",), proposals, forget_proposals))
