"""The life of a batch: waiting, running, done or failed, withdrawn. What it does to facts is its owner's business."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction

from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.batches.models import Batch, BatchStatus, RememberedMapping
from changke.foundation.errors import DomainError

UNDOABLE = frozenset({BatchStatus.DONE, BatchStatus.FAILED, BatchStatus.WITHDRAWING, BatchStatus.WITHDRAWN})


class NotUndoable(DomainError):
    code, status = "batch_not_undoable", 409
    message = "This batch is %(status)s; only one that is done or failed can be undone."


def open_batch(
    *,
    kind: str,
    title: str,
    files: Sequence[Mapping[str, str]],
    options: Mapping[str, Any],
    created_by: Staff | None,
    now: dt.datetime,
) -> Batch:
    """A batch that waits to be run."""
    return Batch.objects.create(
        kind=kind,
        title=title[:240],
        status=BatchStatus.WAITING,
        files=[dict(file) for file in files],
        options=dict(options),
        created_by=created_by,
        created_at=now,
    )


VOID = "void"
"""Kind of the batch of one receipt that was taken back by hand; no page of loads shows it."""


def withdrawn_batch(
    *, kind: str, title: str, options: Mapping[str, Any], created_by: Staff | None, now: dt.datetime
) -> Batch:
    """A batch that is withdrawn as it is made: what withdraws a single fact, and says by whom and why."""
    return Batch.objects.create(
        kind=kind,
        title=title[:240],
        status=BatchStatus.WITHDRAWN,
        options=dict(options),
        created_by=created_by,
        created_at=now,
        withdrawn_at=now,
    )


def draft(*, kind: str, title: str, options: Mapping[str, Any], created_by: Staff | None, now: dt.datetime) -> Batch:
    """A batch whose files and options a person is still deciding about."""
    return Batch.objects.create(
        kind=kind,
        title=title[:240],
        status=BatchStatus.DRAFT,
        options=dict(options),
        created_by=created_by,
        created_at=now,
    )


CORRECTION = "correction"


def note_correction(*, title: str, now: dt.datetime) -> Batch:
    """A batch that brings nothing: facts are withdrawn under it, because their source says something else now."""
    return Batch.objects.create(
        kind=CORRECTION, title=title[:240], status=BatchStatus.WITHDRAWN, created_at=now, withdrawn_at=now
    )


def change_draft(
    batch_id: int,
    *,
    options: Mapping[str, Any] | None = None,
    files: Sequence[Mapping[str, str]] | None = None,
    kind: str | None = None,
    title: str | None = None,
) -> bool:
    """Merge `options` into what was decided; the rest replaces. False where the batch is no draft any more."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().filter(pk=batch_id, status=BatchStatus.DRAFT).first()
        if batch is None:
            return False
        batch.options = {**batch.options, **(options or {})}
        batch.files = [dict(file) for file in files] if files is not None else batch.files
        batch.kind = kind if kind is not None else batch.kind
        batch.title = (title if title is not None else batch.title)[:240]
        batch.save(update_fields=["options", "files", "kind", "title"])
    return True


@transaction.atomic
def hand_over(batch_id: int, *, by: By = HOUSE) -> bool:
    """A draft, or one that failed, now waits to be run. True exactly once, however often the button is pressed."""
    waiting = Batch.objects.filter(pk=batch_id, status__in=(BatchStatus.DRAFT, BatchStatus.FAILED))
    handed = waiting.update(status=BatchStatus.WAITING, done=0, total=None, message="", started_at=None) == 1
    if handed:
        _note_asker(batch_id, "run_by", by)
    return handed


@transaction.atomic
def ask_withdrawal(batch_id: int, *, by: By = HOUSE) -> bool:
    """A batch that is done or failed begins to be withdrawn. True exactly once."""
    ended = Batch.objects.filter(pk=batch_id, status__in=(BatchStatus.DONE, BatchStatus.FAILED))
    asked = ended.update(status=BatchStatus.WITHDRAWING) == 1
    if asked:
        _note_asker(batch_id, "undone_by", by)
    return asked


def _note_asker(batch_id: int, key: str, by: By) -> None:
    """A worker does it later; the audit line still names who asked, and from where."""
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    batch.options = {**batch.options, key: asdict(by)}
    batch.save(update_fields=["options"])


def discard(batch_id: int) -> bool:
    """Forget a draft: it has brought nothing. False where it is none."""
    deleted, _ = Batch.objects.filter(pk=batch_id, status=BatchStatus.DRAFT).delete()
    return deleted > 0


def keep_problems(batch_id: int, problems: Sequence[Mapping[str, Any]]) -> None:
    """Why rows were refused, grouped; for the page that shows the result."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        batch.options = {**batch.options, "problems": [dict(problem) for problem in problems]}
        batch.save(update_fields=["options"])


def note_option(batch_id: int, key: str, value: object) -> None:
    """Remember how far a batch has come, for the case that it is run again."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        batch.options = {**batch.options, key: value}
        batch.save(update_fields=["options"])


def keep_clean(batch_id: int, options: Mapping[str, Any]) -> None:
    """Put these options in the place of what a former version kept there, whatever became of the batch."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        batch.options = {**batch.options, **options}
        batch.save(update_fields=["options"])


def keep_message(batch_id: int, message: str) -> None:
    """Say in other words why a batch failed."""
    Batch.objects.filter(pk=batch_id).update(message=message)


def begin(batch_id: int, *, now: dt.datetime) -> None:
    """From the start, or again after a crash: the counts are made anew, because what is in is found and counted
    again."""
    Batch.objects.filter(pk=batch_id).update(
        status=BatchStatus.RUNNING, started_at=now, finished_at=None, message="", error_file="", done=0,
        created_count=0, updated_count=0, skipped_count=0, refused_count=0, kept_count=0,
    )  # fmt: skip


def report_progress(batch_id: int, *, done: int, total: int, kind: str | None = None) -> None:
    changes: dict[str, Any] = {"done": done, "total": total}
    if kind:
        changes["kind"] = kind
    Batch.objects.filter(pk=batch_id).update(**changes)


@transaction.atomic
def finish(
    batch_id: int,
    *,
    total: int,
    created: int,
    updated: int,
    skipped: int,
    refused: int,
    error_file: str,
    now: dt.datetime,
    kept: int = 0,
) -> None:
    Batch.objects.filter(pk=batch_id).update(
        status=BatchStatus.DONE, finished_at=now, total=total, done=total, created_count=created, updated_count=updated,
        skipped_count=skipped, refused_count=refused, kept_count=kept, error_file=error_file,
    )  # fmt: skip
    _record("batch.run", batch_id, "run_by", now)


def fail(batch_id: int, *, message: str, now: dt.datetime) -> None:
    Batch.objects.filter(pk=batch_id).update(status=BatchStatus.FAILED, message=message, finished_at=now)


def begin_withdrawal(batch_id: int) -> None:
    """Refused while the batch still waits or runs. Safe to repeat."""
    batch = Batch.objects.get(pk=batch_id)
    if batch.status not in UNDOABLE:
        raise NotUndoable(status=batch.status)
    Batch.objects.filter(pk=batch_id).update(status=BatchStatus.WITHDRAWING)


@transaction.atomic
def finish_withdrawal(batch_id: int, *, now: dt.datetime) -> None:
    Batch.objects.filter(pk=batch_id).update(status=BatchStatus.WITHDRAWN, withdrawn_at=now)
    _record("batch.undone", batch_id, "undone_by", now)


def _record(action: str, batch_id: int, asked: str, now: dt.datetime) -> None:
    """One line for however many rows: what the batch did to each of them it keeps itself."""
    batch = Batch.objects.select_related("created_by").get(pk=batch_id)
    starter = By("staff", batch.created_by.pk, batch.created_by.name) if batch.created_by else HOUSE
    by = By(**batch.options[asked]) if asked in batch.options else starter
    counts = ("total", "created_count", "updated_count", "skipped_count", "refused_count")
    after = {"title": batch.title, "kind": batch.kind, **{count: getattr(batch, count) for count in counts}}
    record(by=by, action=action, subject=f"batch:{batch_id}", after=after, now=now)


def remembered_mapping(*, kind: str, source: str, signature: str) -> dict[str, str] | None:
    """How a file with this header was understood the last time: of this source, else of one without a name."""
    known = RememberedMapping.objects.filter(kind=kind, signature=signature, source__in={source, ""})
    found = known.order_by("-source").first()
    return dict(found.mapping) if found else None


def remember_mapping(
    *, kind: str, signature: str, mapping: Mapping[str, str], now: dt.datetime, source: str = ""
) -> None:
    """The next file of this source with this header is understood in the same way."""
    RememberedMapping.objects.update_or_create(
        kind=kind, source=source, signature=signature, defaults={"mapping": dict(mapping), "used_at": now}
    )
