"""Taking in many facts at once: what comes of each, one by one, so that a bad one never costs a good one."""

import datetime as dt
from dataclasses import dataclass

from changke.foundation.errors import DomainError, Invalid

MOST_PER_BATCH = 1_000
"""Facts of one call: a statement over more would hold the cursors of all readers for too long."""

CLOCK_TOLERANCE = dt.timedelta(minutes=10)
"""A till's clock may run ahead by this much before its facts are taken to lie in the future."""

EARLIEST = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
"""Before it no till we know of kept records; such a moment is a clock that lost its battery."""

ONCE = "(source_key) WHERE withdrawn_by_id IS NULL"
"""The unique index of every table of facts, as ON CONFLICT names it."""


@dataclass(frozen=True)
class Taken:
    """The fact is in: its id, and whether it came with this call or was known already."""

    id: int
    is_new: bool


@dataclass(frozen=True)
class Waits:
    """Kept, but in no number yet: what it belongs to has not come."""

    is_new: bool


Outcome = Taken | Waits | DomainError


class ContentDiffers(DomainError):
    code, status = "content_differs", 409
    message = "%(key)s was recorded before with other contents. A fact is not edited: record another one."


def check_moment(happened_at: dt.datetime, *, now: dt.datetime) -> None:
    """A fact happened between the first tills and now."""
    if happened_at > now + CLOCK_TOLERANCE:
        raise Invalid(field="happened_at", reason="lies in the future")
    if happened_at < EARLIEST:
        raise Invalid(field="happened_at", reason="lies before 1980: look at the clock of the till")
