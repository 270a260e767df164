"""The last step: what came of it, what could not go in and why, and the way back."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_http_methods

from changke.facts.catalog.queries import count_of_unknown_kind
from changke.facts.consents.queries import brought_by
from changke.facts.customers.queries import kept_of
from changke.facts.fields.queries import replaced_by
from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.registry import kind_of
from changke.foundation.money import exponent
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.bulk import undo_words
from changke.interfaces.importers import beside
from changke.interfaces.importers.error_file import safe
from changke.interfaces.importers.folders import folder_of, problems_of
from changke.interfaces.importers.undo import leaving
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, wants_part
from changke.interfaces.web.doors import needs
from changke.interfaces.web.imports import words
from changke.interfaces.web.imports.problems import groups_of
from changke.interfaces.web.imports.rows import row_of
from changke.interfaces.web.imports.steps import place_of, take_back

UNDOABLE = frozenset({BatchStatus.DONE.value, BatchStatus.FAILED.value})
FINISHED = UNDOABLE | {BatchStatus.WITHDRAWING.value, BatchStatus.WITHDRAWN.value}


@require_GET
@needs(Capability.IMPORT_RUN)
def show(request: HttpRequest, batch_id: int) -> HttpResponse:
    batch = get_object_or_404(Batch.objects.select_related("created_by"), pk=batch_id)
    if batch.status not in FINISHED:
        return go(request, place_of(batch))
    if wants_part(request) and batch.status != BatchStatus.WITHDRAWING:
        return go(request, reverse("imports-result", args=[batch.pk]))  # the undo is over: show the page anew
    context = {
        "nav": "imports",
        "step": 5,
        "batch": batch,
        "row": row_of(batch, timezone.now()),
        "kind_words": words.kind(batch.kind),
        "problems": groups_of(problems_kept(batch), get_language() or "zh-hans"),
        "has_error_file": error_path(batch) is not None,
        "several_files": len(batch.files) > 1,
        "own_changed": replaced_by(batch.pk).customers,
        "consents": brought_by(batch.pk),
        "can_retry": batch.status == BatchStatus.FAILED and all(Path(file["path"]).is_file() for file in batch.files),
        "can_undo": batch.status in UNDOABLE,
        "unsaid_items": count_of_unknown_kind() if batch.kind == "purchases" else 0,
        "refused_files": batch.options.get("refused_files") or [],
    }
    return answer(request, "imports/result.html", context, part="imports/_withdrawing.html")


@require_GET
@needs(Capability.IMPORT_RUN)
def error_file(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """The refused rows, to be mended and loaded again. They hold names and phones: the same door as the import."""
    batch = get_object_or_404(Batch, pk=batch_id)
    path = error_path(batch)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/csv")


@require_GET
@needs(Capability.IMPORT_RUN)
def kept(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """The rows that wait for a room, as a file: nothing of them is hidden meanwhile."""
    batch = get_object_or_404(Batch, pk=batch_id)
    if not batch.kept_count:
        raise Http404
    response = StreamingHttpResponse(kept_lines(batch.pk), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="kept-{batch.pk}.csv"'
    return response


def kept_lines(batch_id: int) -> Iterator[str]:
    line = csv.writer(Echo())
    names = ("card", "number", "sessions", "remaining", "value", "bought_on", "expires_on", "store")
    heads = ("card", "card_number", "sessions", "remaining", "value", "bought_on", "expires_on", "store")
    yield "\ufeff" + line.writerow([gettext("Customer"), *(str(words.FIELDS[name]) for name in heads)])
    stores = dict(Store.objects.values_list("pk", "name"))
    digits = 10 ** exponent(the_chain().currency)
    for name, data in kept_of(batch_id):
        value = data.get("value_minor")
        shown = {**data, "value": f"{value / digits:.2f}" if value is not None else "",
                 "store": stores.get(data.get("store") or 0, "")}  # fmt: skip
        yield line.writerow([safe(name), *(safe(str(shown.get(each, ""))) for each in names)])


class Echo:
    """A file that hands back what is written into it."""

    def write(self, text: str) -> str:
        return text


@require_http_methods(["GET", "POST"])
@needs(Capability.IMPORT_UNDO)
def undo(request: HttpRequest, batch_id: int) -> HttpResponse:
    """GET says what would leave; POST lets it leave."""
    batch = get_object_or_404(Batch, pk=batch_id)
    if batch.status not in UNDOABLE:
        return go(request, place_of(batch))
    if request.method == "POST":
        take_back(batch, by=current.by(request))
        return go(request, reverse("imports-result", args=[batch.pk]))
    context = {
        "nav": "imports",
        "batch": batch,
        "leaving": leaving(batch.pk),
        "undo": undo_words.said(kind_of(batch.kind).before_undo(batch.pk)),
        "kind_words": words.kind(batch.kind),
    }
    return answer(request, "imports/undo.html", context)


def problems_kept(batch: Batch) -> Sequence[Mapping[str, Any]]:
    """With what stands in the first cells, as long as the file of the refused rows is kept; then without."""
    return beside.taken(problems_of(batch)) or batch.options.get("problems") or ()


def error_path(batch: Batch) -> Path | None:
    """The error file, if it is still there and really lies in the folder of this batch."""
    if not batch.error_file:
        return None
    path = Path(batch.error_file).resolve()
    return path if path.is_file() and path.is_relative_to(folder_of(batch).resolve()) else None
