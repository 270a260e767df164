"""The audit trail, for whoever may view it: the whole chain's. What a line says of a customer is masked in the file as
it is in the table: no erasure reaches a file."""

import json
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from changke.foundation.access.capabilities import Capability
from changke.foundation.audit.models import AuditLine
from changke.interfaces.exporters.shape import DATASETS, Ask, Column, Dataset, Row

CHUNK = 2_000
COLUMNS = (
    Column("line", _("Number here"), "int"),
    Column("at", _("Time"), "moment"),
    Column("who", _("Who")),
    Column("address", _("Network address")),
    Column("action", _("Action")),
    Column("subject", _("To what")),
    Column("before", _("Before")),
    Column("after", _("After")),
    Column("reason", _("Reason")),
)


def rows(ask: Ask) -> Iterator[Row]:
    found = AuditLine.objects.order_by("pk").values_list(
        "pk", "at", "actor_name", "address", "action", "subject", "before", "after", "reason"
    )
    for pk, at, who, address, action, subject, before, after, reason in found.iterator(chunk_size=CHUNK):
        yield (pk, at, who, address, action, subject, _told(before), _told(after), reason)


def _told(values: object) -> str:
    return "" if values is None else json.dumps(values, ensure_ascii=False)


DATASETS.register(
    "audit",
    Dataset("audit", _("Audit trail"), COLUMNS, rows, lambda ask: AuditLine.objects.count(), Capability.AUDIT_VIEW),
)
