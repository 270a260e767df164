"""A file of scores: sent, at work, what came of it, and the way back."""

import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_http_methods

from changke.facts.scores.queries import scores_for
from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.registry import kind_of
from changke.foundation.errors import DomainError
from changke.interfaces import jobs, words
from changke.interfaces.bulk import undo_words
from changke.interfaces.scores import work
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, wants_part
from changke.interfaces.web.bulk.sending import take_back
from changke.interfaces.web.doors import needs
from changke.interfaces.web.imports.drafts import shown_name
from changke.interfaces.web.uploads import incoming, too_large

BUSY = frozenset({BatchStatus.WAITING.value, BatchStatus.RUNNING.value, BatchStatus.WITHDRAWING.value})
UNDOABLE = frozenset({BatchStatus.DONE.value, BatchStatus.FAILED.value})


class LoadForm(forms.Form):
    file = forms.FileField()
    scored_on = forms.DateField(required=False)


@require_http_methods(["GET", "POST"])
@needs(Capability.IMPORT_RUN)
def new(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, "")
    if large := too_large(request):
        remedy = gettext("%(file)s is too large for the page: load it on the server with “changke scores”.")
        return _page(request, remedy % {"file": shown_name(large)})
    form = LoadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, gettext("Choose a file, and write the day as 2026-03-01."))
    file = form.cleaned_data["file"]
    kept = incoming() / f"{uuid4().hex}.scores"
    shutil.move(file.temporary_file_path(), kept)
    Path(file.temporary_file_path()).touch()  # Django deletes it when the request ends
    staff = current.staff(request)
    try:
        with transaction.atomic():
            batch = work.start(
                kept, shown_name(file.name), scored_on=form.cleaned_data["scored_on"], role=staff.role,
                by=current.by(request), created_by=staff, language=get_language() or "zh-hans", now=timezone.now(),
                moves=True,
            )  # fmt: skip
            jobs.run_batch.defer(batch_id=batch.pk)
    except DomainError as refused:
        kept.unlink(missing_ok=True)
        return _page(request, words.refusal(refused))
    return go(request, reverse("scores-result", args=[batch.pk]))


def _page(request: HttpRequest, error: str) -> HttpResponse:
    language = get_language() or "zh-hans"
    context = {
        "nav": "settings",
        "error": error,
        "scores": [(one.key, one.label(language)) for one in scores_for(current.staff(request).role)],
        "limit_bytes": settings.UPLOAD_LIMIT_BYTES,
        "today": timezone.localdate(),
    }
    return answer(request, "scores/load.html", context, status=422 if error else 200)


@require_GET
@needs(Capability.IMPORT_RUN)
def show(request: HttpRequest, batch_id: int) -> HttpResponse:
    batch = _load(batch_id)
    busy = batch.status in BUSY
    if wants_part(request) and not busy:
        return go(request, reverse("scores-result", args=[batch.pk]))  # it is over: show the page anew
    moving = batch.status == BatchStatus.RUNNING
    context: dict[str, Any] = {
        "nav": "settings",
        "batch": batch,
        "busy": busy,
        "done": batch.done if moving else 0,
        "total": (batch.total or 0) if moving else 0,
        "problems": [
            (one["column"], work.said_why(one["reason"], one["places"]), one["count"])
            for one in batch.options.get("problems") or ()
        ],
        "has_file": work.refused_file(batch.pk).is_file(),
        "can_undo": batch.status in UNDOABLE,
    }
    return answer(request, "scores/result.html", context, part="scores/_running.html")


@require_GET
@needs(Capability.IMPORT_RUN)
def refused(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """The cells that did not go in, with the reason beside each."""
    path = work.refused_file(_load(batch_id).pk)
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/csv")


@require_http_methods(["GET", "POST"])
@needs(Capability.IMPORT_UNDO)
def undo(request: HttpRequest, batch_id: int) -> HttpResponse:
    """GET says what goes; POST takes it back."""
    batch = _load(batch_id)
    if batch.status not in UNDOABLE:
        return go(request, reverse("scores-result", args=[batch.pk]))
    if request.method == "POST":
        take_back(batch, by=current.by(request))
        return go(request, reverse("scores-result", args=[batch.pk]))
    context = {"nav": "settings", "batch": batch, "undo": undo_words.said(kind_of(batch.kind).before_undo(batch.pk))}
    return answer(request, "scores/undo.html", context)


def _load(batch_id: int) -> Batch:
    return get_object_or_404(Batch.objects.select_related("created_by"), pk=batch_id, kind=work.KIND)
