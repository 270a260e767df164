"""What former versions kept of persons where no erasure reached it is taken out, night by night, until nothing is left.

A job and not a migration: it goes in small steps while the shop is open, a restored old backup is cleaned as well, and
running again finds nothing to do. docs/decisions/0110.
"""

import datetime as dt
import re
from typing import Any

from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import SEARCHED, system
from changke.foundation.audit.services import restate
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.services import keep_clean, keep_message
from changke.interfaces.bulk.whom import Whom
from changke.interfaces.exporters import searched
from changke.interfaces.exporters.models import Export
from changke.interfaces.exporters.services import keep_masked
from changke.interfaces.importers import beside

CHUNK = 200


def take_out(*, now: dt.datetime) -> int:
    """How many rows were cleaned."""
    return _clean_batches() + _clean_messages() + _clean_exports() + _clean_lines(now)


def _clean_batches() -> int:
    """First rows of sheets, whom rows met, values of refused cells: gone from every batch, drafts too, which look at
    their files again."""
    cleaned = 0
    holding = Batch.objects.filter(options__has_any_keys=["look", "analysis", "problems", "whom"])
    for batch in holding.order_by("pk").iterator(chunk_size=CHUNK):
        changes = _cleaner(batch.options)
        if kept := batch.options.get("whom"):
            clean = _whom(kept, over=bool(batch.options.get("chosen")) or batch.status not in RUNS)
            changes |= {"whom": clean} if clean != kept else {}
        if changes:
            keep_clean(batch.pk, changes)
            cleaned += 1
    return cleaned


RUNS = (BatchStatus.WAITING, BatchStatus.RUNNING, BatchStatus.FAILED)
"""In these a bulk change may still have to find whom it means."""


def _whom(kept: dict[str, Any], *, over: bool) -> dict[str, Any]:
    if over:
        return Whom.without_search(kept)
    if kept.get("search"):
        return kept
    query, search = searched.put_away(str(kept.get("query") or ""))
    return {**kept, "query": query, "search": search}


QUOTING = re.compile(r"(?s)\n(DETAIL|CONTEXT|LINE|HINT)\b|^\w[\w ]* Error: |invalid input syntax|value too long")
"""How an error of PostgreSQL or DuckDB is known; both say which value they could not take."""


def _clean_messages() -> int:
    """Errors of databases, with which former versions said why a batch failed: what they quote goes."""
    cleaned = 0
    for batch in Batch.objects.exclude(message="").order_by("pk").iterator(chunk_size=CHUNK):
        if QUOTING.search(batch.message):
            keep_message(batch.pk, "DatabaseError")
            cleaned += 1
    return cleaned


def _clean_exports() -> int:
    """Searches in exports: masked, and sealed where the file is still to be made."""
    cleaned = 0
    for made in Export.objects.exclude(filters="").filter(search="").order_by("pk").iterator(chunk_size=CHUNK):
        kept, search = searched.put_away(made.filters)
        if kept != made.filters:
            keep_masked(made.pk, kept, search)
            cleaned += 1
    return cleaned


def _clean_lines(now: dt.datetime) -> int:
    """Searches in the audit trail: such a line is said again without them, then blanked."""
    cleaned = 0
    lines = AuditLine.objects.filter(action__in=SEARCHED, salt__isnull=False).order_by("pk")
    for line in lines.iterator(chunk_size=CHUNK):
        after = dict(line.after or {})
        clean = {name: searched.masked(str(after[name])) for name in ("filters", "filter") if after.get(name)}
        if any(after[name] != text for name, text in clean.items()):
            cleaned += restate(line.pk, {**after, **clean}, by=system("take_clear_texts_out"), now=now)
    return cleaned


def _cleaner(options: dict[str, Any]) -> dict[str, Any]:
    """The options that hold values of rows, without them; nothing where none does."""
    clean: dict[str, Any] = {}
    if options.get("look"):
        clean["look"] = beside.apart(options["look"])[0]
    if noted := options.get("analysis"):
        clean["analysis"] = {"check": noted.get("check"), "error": noted.get("error", "")}
    if options.get("problems"):
        clean["problems"] = beside.without_values(options["problems"])
    return {name: value for name, value in clean.items() if value != options[name]}
