"""Asking for an export, making its file, forgetting it."""

import datetime as dt
import logging
import secrets
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from changke.foundation.audit import services as audit
from changke.foundation.audit.rules import By
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import Invalid
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.interfaces.exporters import FORMATS, searched
from changke.interfaces.exporters import datasets as datasets  # registers them
from changke.interfaces.exporters.models import Export, ExportState
from changke.interfaces.exporters.shape import DATASETS, Ask, Column, Row

REASON_ABOVE_ROWS = 1_000
"""Above this many rows whoever exports says why: that many people at once are a list, not a look."""
AT_ONCE_ROWS = 2_000
"""Up to here the file is made while one waits: about a second."""
KEPT = dt.timedelta(hours=24)
REPORT_EVERY = 5_000
LONGEST_FILTERS = 1_000
WATERMARK = Column("exported_by", _("Exported by"))
"""The last column of every file says whose it is, wherever a piece of it turns up."""

log = logging.getLogger(__name__)


@transaction.atomic
def ask(
    *,
    dataset: str,
    format: str,
    filters: str = "",
    scope: Scope,
    shows_phones: bool,
    role: str = "",
    reason: str = "",
    maker: str,
    by: By,
    language: str,
    now: dt.datetime,
) -> Export:
    """Write down that somebody wants a file, and why. Whether she may ask, the caller knows."""
    if dataset not in DATASETS:
        raise Invalid(field="dataset", reason="choose one of %(choices)s", choices=", ".join(DATASETS))
    if format not in FORMATS:
        raise Invalid(field="format", reason="choose one of %(choices)s", choices=", ".join(FORMATS))
    if len(filters) > LONGEST_FILTERS:
        raise Invalid(field="filters", reason="at most %(longest)s characters", longest=LONGEST_FILTERS)
    asked = Ask(scope, filters, role=role)
    DATASETS[dataset].check(asked)
    total = DATASETS[dataset].count(asked)
    if total > REASON_ABOVE_ROWS and not reason.strip():
        raise Invalid(
            field="reason", reason="say why: more than %(rows)s rows leave the house", rows=f"{REASON_ABOVE_ROWS:,}"
        )
    kept, search = searched.put_away(filters)
    made = Export.objects.create(
        dataset=dataset,
        format=format,
        filters=kept[:LONGEST_FILTERS],
        search=search,
        maker=maker,
        maker_name=by.name[:200],
        stores=None if scope.store_ids is None else sorted(scope.store_ids),
        seen=scope.as_json() if scope.by_person else None,
        shows_phones=shows_phones,
        role=role,
        reason=reason.strip()[:400],
        language=language,
        total=total,
        created_at=now,
        expires_at=now + KEPT,
    )
    audit.record(
        by=by,
        action="export.made",
        subject=f"export:{made.pk}",
        after={"dataset": dataset, "format": format, "rows": total, "filters": kept, "phones": shows_phones},
        reason=made.reason,
        now=now,
    )
    return made


def run(export_id: int, *, now: dt.datetime) -> None:
    """Make the file, or make it again after a kill: it appears whole or not at all."""
    made = Export.objects.filter(pk=export_id, state__in=(ExportState.WAITING, ExportState.RUNNING)).first()
    if made is None:
        return
    _set(made, state=ExportState.RUNNING, done=0)
    name = f"{secrets.token_urlsafe(16)}{FORMATS[made.format].SUFFIX}"
    unfinished = folder() / f".{name}"
    try:
        with translation.override(made.language):
            rows = write(made, unfinished)
        unfinished.replace(folder() / name)
        size = (folder() / name).stat().st_size
        _set(
            made, state=ExportState.DONE, file=name, size_bytes=size, total=rows, done=rows, finished_at=now, search=""
        )
    except Exception:
        _set(made, state=ExportState.FAILED, finished_at=now, search="")
        log.exception("export %s failed", export_id)
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def write(made: Export, path: Path) -> int:
    """The rows of the export into a file, however many, in the same little memory; how many they were."""
    chain, dataset = the_chain(), DATASETS[made.dataset]
    scope = Scope.from_json(made.seen or {"stores": made.stores})
    asked = Ask(scope, searched.opened(made.filters, made.search), made.shows_phones, chain.currency, made.role)
    mark = f"#{made.pk} {made.maker_name} {made.created_at:%Y-%m-%d}"
    made.done = 0
    with seeing(scope):  # the net below the queries: a forgotten scope shows nothing foreign
        rows = _counted(made, ((*row, mark) for row in dataset.rows(asked)))
        FORMATS[made.format].write(
            path, (*dataset.columns, *dataset.own(asked), WATERMARK), rows, currency=chain.currency
        )
    return made.done


def _counted(made: Export, rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        made.done += 1
        if made.done % REPORT_EVERY == 0:
            _set(made, done=made.done)
        yield row


def forget_expired(*, now: dt.datetime) -> int:
    """Delete the files whose day is over; how many. The rows stay and say who had what."""
    over = list(Export.objects.filter(expires_at__lt=now).exclude(state=ExportState.GONE))
    for made in over:
        if made.file:
            (folder() / made.file).unlink(missing_ok=True)
        _set(made, state=ExportState.GONE, file="", search="")
    return len(over)


def keep_masked(export_id: int, kept: str, search: str) -> None:
    """Mask the filters that a former version kept in clear; sealed they stay while the file is still to be made."""
    runs = Export.objects.filter(pk=export_id, state__in=(ExportState.WAITING, ExportState.RUNNING))
    runs.update(filters=kept[:LONGEST_FILTERS], search=search)
    Export.objects.filter(pk=export_id).exclude(filters=kept).update(filters=kept[:LONGEST_FILTERS])


def folder() -> Path:
    """Where the files lie: readable by this installation only."""
    place = Path(settings.DATA_DIR) / "exports"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def _set(made: Export, **values: object) -> None:
    Export.objects.filter(pk=made.pk).update(**values)
    for name, value in values.items():
        setattr(made, name, value)
