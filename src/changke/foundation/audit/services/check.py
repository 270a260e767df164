"""What a verification found, kept for the page."""

import datetime as dt
from dataclasses import asdict

from changke.foundation.audit.models import AuditCheck
from changke.foundation.audit.queries import Verification


def keep(found: Verification, *, seconds: float, now: dt.datetime) -> AuditCheck:
    return AuditCheck.objects.create(
        checked_at=now,
        seconds=seconds,
        lines=found.lines,
        unsealed=found.unsealed,
        broken_count=found.broken_count,
        broken=[asdict(one) for one in found.broken],
    )
