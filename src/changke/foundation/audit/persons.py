"""What the audit trail knows of a person: what was done with her data, and by whom."""

from collections.abc import Iterator, Sequence

from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.queries import opened
from changke.foundation.audit.services import blank_values
from changke.foundation.persons.registry import PersonTable, Row, register

TOLD = ("customer_id", "at", "actor_name", "action", "before", "after", "reason")


def lines(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = AuditLine.objects.filter(customer_id__in=customer_ids).order_by("at", "pk")
    for line in opened(list(rows)):
        yield {name: getattr(line, name) for name in TOLD}


register(PersonTable("audit", ("foundation_auditline",), lines, blank_values))
