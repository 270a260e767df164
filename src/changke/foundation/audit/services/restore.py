"""Putting back what a line says stood there before, through the verb of the room it belongs to."""

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.queries import preview
from changke.foundation.audit.rules import By
from changke.foundation.audit.services.record import record
from changke.foundation.errors import DomainError


class NotRestorable(DomainError):
    code, status = "not_restorable", 409
    message = "There is nothing in this line that could be put back."


class ChangedSince(DomainError):
    code, status = "changed_since", 409
    message = "Meanwhile somebody changed it again. Look at what stands there now, then choose."

    def __init__(self, *, fields: list[str]) -> None:
        self.fields = fields
        super().__init__()


@transaction.atomic
def restore(line: AuditLine, *, fields: Collection[str] = (), by: By, now: dt.datetime) -> list[str]:
    """Put back the values before the line; which fields were written. The room's verb refuses what is wrong today.

    Without `fields` all of the line's, and refused where one of them was changed since. Whoever has seen what stands
    there now names the fields to write, changed or not.
    """
    found = preview(line)
    if found is None or not found.fields:
        raise NotRestorable
    wanted = [one for one in found.fields if one.name in fields or not fields]
    changed = [one.name for one in wanted if one.changed_since]
    if changed and not fields:
        raise ChangedSince(fields=changed)
    values = {one.name: one.before for one in wanted if one.before != one.now}
    if not values:
        raise NotRestorable
    assert found.kind.restore is not None, "a preview is of kinds that can be restored"
    found.kind.restore(found.key, values, by=by, now=now)
    record(
        by=by,
        action="audit.restored",
        subject=line.subject,
        after={"line": line.pk, "fields": sorted(values)},
        customer_id=line.customer_id,
        codes=("line", "fields"),
        now=now,
    )
    return sorted(values)
