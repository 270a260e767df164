"""A bulk change at work, what came of it, and the way back."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.registry import kind_of
from changke.interfaces.bulk import shown, undo_words, work
from changke.interfaces.bulk.change import Wish
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, wants_part
from changke.interfaces.web.bulk.sending import take_back
from changke.interfaces.web.doors import needs

BUSY = frozenset({BatchStatus.WAITING.value, BatchStatus.RUNNING.value, BatchStatus.WITHDRAWING.value})
UNDOABLE = frozenset({BatchStatus.DONE.value, BatchStatus.FAILED.value})


@require_GET
@needs(Capability.CUSTOMER_BULK_EDIT)
def show(request: HttpRequest, batch_id: int) -> HttpResponse:
    batch = _mine(request, batch_id)
    busy = batch.status in BUSY
    if wants_part(request) and not busy:
        return go(request, reverse("bulk-result", args=[batch.pk]))  # it is over: show the page anew
    moving = batch.status == BatchStatus.RUNNING
    context = {
        "nav": "customers",
        "batch": batch,
        "busy": busy,
        "done": batch.done if moving else 0,
        "total": (batch.total or 0) if moving else 0,
        "wish": shown.wish(Wish.from_json(batch.options["wish"])),
        "expected": batch.options.get("expected"),
        "has_file": work.result_file(batch.pk).is_file(),
        "can_undo": batch.status in UNDOABLE,
    }
    return answer(request, "bulk/result.html", context, part="bulk/_running.html")


@require_GET
@needs(Capability.CUSTOMER_BULK_EDIT)
def file(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """Whom it meant and what became of each."""
    path = work.result_file(_mine(request, batch_id).pk)
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/csv")


@require_http_methods(["GET", "POST"])
@needs(Capability.CUSTOMER_BULK_EDIT)
def undo(request: HttpRequest, batch_id: int) -> HttpResponse:
    """GET says what goes and what stays, and why; POST takes it back."""
    batch = _mine(request, batch_id)
    if batch.status not in UNDOABLE:
        return go(request, reverse("bulk-result", args=[batch.pk]))
    if request.method == "POST":
        take_back(batch, by=current.by(request))
        return go(request, reverse("bulk-result", args=[batch.pk]))
    context = {
        "nav": "customers",
        "batch": batch,
        "undo": undo_words.said(kind_of(batch.kind).before_undo(batch.pk)),
    }
    return answer(request, "bulk/undo.html", context)


def _mine(request: HttpRequest, batch_id: int) -> Batch:
    """One's own change; who may change the whole chain's customers sees all of them."""
    batch = get_object_or_404(Batch.objects.select_related("created_by"), pk=batch_id, kind=work.KIND)
    everywhere = current.scope_for(request, Capability.CUSTOMER_BULK_EDIT).whole_chain
    if not everywhere and batch.created_by_id != current.staff(request).pk:
        raise Http404
    return batch
