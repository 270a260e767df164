"""All batches, the newest first: what they brought and how to take it back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.models import Batch
from changke.interfaces.importers import columns
from changke.interfaces.importers.sources import MIXED
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.imports import drafts
from changke.interfaces.web.imports.new import SAMPLES
from changke.interfaces.web.imports.rows import row_of
from changke.interfaces.web.imports.steps import place_of

PAGE = 20
FILES = ("", MIXED, *columns.KINDS)
"""Kinds of batches that come from files; bulk changes have a page of their own."""


@require_GET
@needs(Capability.IMPORT_RUN)
def show(request: HttpRequest) -> HttpResponse:
    before = request.GET.get("before", "")
    batches = Batch.objects.filter(kind__in=FILES).select_related("created_by").order_by("-id")
    if before.isdigit():
        batches = batches.filter(pk__lt=int(before))
    found = list(batches[: PAGE + 1])
    now = timezone.now()
    context = {
        "nav": "imports",
        "rows": [row_of(batch, now) for batch in found[:PAGE]],
        "older": f"?before={found[PAGE - 1].pk}" if len(found) > PAGE else "",
        "newer": reverse("imports") if before.isdigit() else "",
        "samples": [(key, label) for key, (label, _kind, _names) in SAMPLES.items()],
    }
    return answer(request, "imports/list.html", context)


@require_GET
@needs(Capability.IMPORT_RUN)
def row(request: HttpRequest, batch_id: int) -> HttpResponse:
    """One line again, while it moves."""
    batch = get_object_or_404(Batch.objects.select_related("created_by"), pk=batch_id)
    context = {"row": row_of(batch, timezone.now(), request.GET.get("mark", "")), "nav": "imports"}
    return answer(request, "imports/row.html", context, part="imports/_row.html")


@require_GET
@needs(Capability.IMPORT_RUN)
def open_one(request: HttpRequest, batch_id: int) -> HttpResponse:
    return go(request, place_of(get_object_or_404(Batch, pk=batch_id)))


@require_POST
@needs(Capability.IMPORT_RUN)
def throw_away(request: HttpRequest, batch_id: int) -> HttpResponse:
    drafts.forget(get_object_or_404(Batch, pk=batch_id))
    toast(request, gettext("The draft and its files are deleted"))
    return go(request, reverse("imports"))
