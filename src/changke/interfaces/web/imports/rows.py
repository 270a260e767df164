"""A batch as a line of the list: its state, its counts, how fast it goes and how long it still takes."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext

from changke.foundation.batches.models import Batch, BatchStatus
from changke.interfaces.web.imports import words
from changke.interfaces.web.imports.steps import BUSY, place_of


@dataclass(frozen=True)
class Row:
    batch: Batch
    kind: str | Promise
    state: str
    """As the component `job` knows it; `draft` is ours."""
    busy: bool
    done: int
    total: int
    """0 while nobody knows how many rows there are."""
    rows_read: int
    per_second: int
    left: str
    url: str


def row_of(batch: Batch, now: datetime) -> Row:
    total, done = batch.total or 0, batch.done
    seconds = (now - batch.started_at).total_seconds() if batch.started_at else 0.0
    moving = batch.status == BatchStatus.RUNNING and done > 0 and seconds > 1
    per_second = int(done / seconds) if moving else 0
    return Row(
        batch=batch,
        kind=words.KINDS.get(batch.kind, ""),
        state="running" if batch.status == BatchStatus.WITHDRAWING else batch.status,
        busy=batch.status in BUSY,
        done=done if batch.status == BatchStatus.RUNNING else 0,
        total=total if batch.status == BatchStatus.RUNNING and done else 0,
        rows_read=total,
        per_second=per_second,
        left=time_left((total - done) / per_second) if per_second else "",
        url=place_of(batch),
    )


def time_left(seconds: float) -> str:
    """Rounded as a person would say it: nobody plans by the second of a quarter of an hour."""
    if seconds < 1:
        return gettext("nearly done")
    if seconds < 90:
        whole = max(1, round(seconds))
        return ngettext("%(count)s second left", "%(count)s seconds left", whole) % {"count": whole}
    minutes = round(seconds / 60)
    return ngettext("%(count)s minute left", "%(count)s minutes left", minutes) % {"count": minutes}
