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
    mark: str
    """What the next answer measures the pace from."""


def row_of(batch: Batch, now: datetime, mark: str = "") -> Row:
    """`mark` is what an earlier answer saw (`rows@second`); the pace is measured from there to now.

    From the start of the batch it would be wrong: reading the files takes its time before the first row is written.
    """
    total, done = batch.total or 0, batch.done
    moving = batch.status == BatchStatus.RUNNING and done > 0
    first_done, first_second = _read(mark) if moving else (done, 0.0)
    seconds = now.timestamp() - first_second if first_second else 0.0
    per_second = int((done - first_done) / seconds) if seconds >= MEASURED_SECONDS and done > first_done else 0
    return Row(
        batch=batch,
        kind=words.kind(batch.kind),
        state="running" if batch.status == BatchStatus.WITHDRAWING else batch.status,
        busy=batch.status in BUSY,
        done=done if moving else 0,
        total=total if moving else 0,
        rows_read=total,
        per_second=per_second,
        left=time_left((total - done) / per_second) if per_second else "",
        url=place_of(batch),
        mark=(mark if first_second else f"{done}@{int(now.timestamp())}") if moving else "",
    )


MEASURED_SECONDS = 2
"""A pace from a shorter time is chance."""


def _read(mark: str) -> tuple[int, float]:
    rows, _, second = mark.partition("@")
    return (int(rows), float(second)) if rows.isdigit() and second.isdigit() else (0, 0.0)


def time_left(seconds: float) -> str:
    """Rounded as a person would say it: nobody plans by the second of a quarter of an hour."""
    if seconds < 1:
        return gettext("nearly done")
    if seconds < 90:
        whole = max(1, round(seconds))
        return ngettext("%(count)s second left", "%(count)s seconds left", whole) % {"count": whole}
    minutes = round(seconds / 60)
    return ngettext("%(count)s minute left", "%(count)s minutes left", minutes) % {"count": minutes}
