"""Changes of items taken back by their lines in the trail: many were set at once, and it was a mistake."""

import datetime as dt
from collections.abc import Iterable

from changke.facts.catalog.services.keep import ChangedMeanwhile, as_changes, change_item
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.errors import NotFound


def take_back_changes(lines: Iterable[AuditLine], *, by: By = HOUSE, now: dt.datetime) -> int:
    """Each item gets back what its line says stood there; how many did. One that somebody changed since stays as it
    is. Safe to repeat."""
    done = 0
    for line in lines:
        before, after = as_changes(line.before or {}), as_changes(line.after or {})
        try:
            change_item(int(line.subject.partition(":")[2]), before, seen=after, by=by, now=now)
        except (ChangedMeanwhile, NotFound):
            continue
        done += 1
    return done
