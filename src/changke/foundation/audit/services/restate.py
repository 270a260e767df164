"""Saying again what a line of a former version said, without the name or the phone that somebody had searched for."""

import datetime as dt

from django.db import transaction

from changke.foundation.audit import rules
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.services.record import record


@transaction.atomic
def restate(line_id: int, after: rules.Values, *, by: rules.By, now: dt.datetime) -> bool:
    """Add a line with these values that names the other, and blank the other: who did what and when stays there, and
    its digest, so that the chain holds. False where it was blanked before."""
    line = AuditLine.objects.filter(pk=line_id, action__in=rules.SEARCHED, salt__isnull=False).first()
    if line is None:
        return False
    told = {**after, "line": line.pk, "who": line.actor_name}
    record(by=by, action=rules.RESTATED, subject=line.subject, after=told, reason=line.reason, now=now)
    AuditLine.objects.filter(pk=line.pk, salt__isnull=False).update(
        before=None, after=None, reason="", sealed=None, salt=None
    )
    return True
