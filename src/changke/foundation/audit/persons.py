"""What the audit trail knows of a person: what was done with her data, and by whom."""

from collections.abc import Iterator, Sequence

from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.services import blank_values
from changke.foundation.persons.registry import PersonTable, Row, register


def lines(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = AuditLine.objects.filter(customer_id__in=customer_ids).order_by("at", "pk")
    yield from rows.values("customer_id", "at", "actor_name", "action", "before", "after", "reason")


register(PersonTable("audit", ("foundation_auditline",), lines, blank_values))
