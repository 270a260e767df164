"""The fourth step: the load at work. One may leave; it goes on."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.models import Batch, BatchStatus
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go
from changke.interfaces.web.doors import needs
from changke.interfaces.web.imports.rows import row_of
from changke.interfaces.web.imports.steps import UNDER_WAY, place_of, send_off


@require_http_methods(["GET", "POST"])
@needs(Capability.IMPORT_RUN)
def show(request: HttpRequest, batch_id: int) -> HttpResponse:
    """GET shows the progress; POST tries a failed load again. What is in will not come twice."""
    batch = get_object_or_404(Batch.objects.select_related("created_by"), pk=batch_id)
    if request.method == "POST":
        if batch.status == BatchStatus.FAILED:
            send_off(batch, by=current.by(request))
        return go(request, reverse("imports-run", args=[batch.pk]))
    if batch.status not in UNDER_WAY:
        return go(request, place_of(batch))
    context = {
        "nav": "imports",
        "step": 4,
        "batch": batch,
        "row": row_of(batch, timezone.now(), request.GET.get("mark", "")),
    }
    return answer(request, "imports/run.html", context, part="imports/_running.html")
