"""The first step: which files, and what they are."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from changke.foundation.access.capabilities import Capability
from changke.interfaces.importers.presets import all_presets
from changke.interfaces.importers.sources import SOURCES
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go
from changke.interfaces.web.doors import needs
from changke.interfaces.web.imports import drafts, words
from changke.interfaces.web.imports.drafts import Brought, RefusedFile
from changke.interfaces.web.uploads import too_large

SAMPLES = {
    "customers": (_("Customers (GBK)"), "customers", ("customers-gbk.csv",)),
    "purchases": (_("A year of purchases"), "purchases", ("purchases.csv",)),
    "month": (_("A month, a sheet per store"), "purchases", ("purchases-2026-10.xlsx",)),
}
"""Small files of a shop that never existed, so that somebody new sees the whole way before the own data is ready."""


@require_http_methods(["GET", "POST"])
@needs(Capability.IMPORT_RUN)
def show(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, kind=request.GET.get("kind", ""))
    files = request.FILES.getlist("files")
    kind, preset = request.POST.get("kind", ""), request.POST.get("preset", "")
    kind = kind if kind in words.KINDS else ""
    preset = preset if preset in all_presets() or preset in SOURCES else ""
    large = too_large(request)
    if large:
        limit = settings.UPLOAD_LIMIT_BYTES // 1024**2
        remedy = gettext("Larger than %(limit)s MB. Split it, or load it on the server with “changke load”.")
        refused = [RefusedFile(drafts.shown_name(large), remedy % {"limit": f"{limit:,}"})]
        return _page(request, kind=kind, preset=preset, refused=refused, status=422)
    if not files:
        return _page(request, kind=kind, preset=preset, error=gettext("Choose at least one file."), status=422)
    if len(files) > drafts.MOST_FILES:
        many = gettext("At most %(most)s files at a time.") % {"most": drafts.MOST_FILES}
        return _page(request, kind=kind, preset=preset, error=many, status=422)
    return _begin(request, drafts.uploaded(files), kind=kind, preset=preset, now=timezone.now())


@require_POST
@needs(Capability.IMPORT_RUN)
def load_sample(request: HttpRequest, sample: str) -> HttpResponse:
    if sample not in SAMPLES:
        raise Http404
    _words, kind, names = SAMPLES[sample]
    folder = Path(settings.PLAYBOOKS) / "beauty" / "samples"
    files = [Brought(folder / name, name, moves=False) for name in names]
    return _begin(request, files, kind=kind, preset="", now=timezone.now())


def _begin(request: HttpRequest, files: list[Brought], *, kind: str, preset: str, now: datetime) -> HttpResponse:
    language = get_language() or "zh-hans"
    batch, refused = drafts.begin(
        files, kind=kind, preset=preset, language=language, created_by=current.staff(request), now=now
    )
    if batch is None:
        return _page(request, kind=kind, preset=preset, refused=refused, status=422)
    return go(request, reverse("imports-map", args=[batch.pk]))


def _page(
    request: HttpRequest,
    *,
    kind: str = "",
    preset: str = "",
    refused: list[RefusedFile] | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    language = get_language() or "zh-hans"
    context: dict[str, Any] = {
        "nav": "imports",
        "step": 1,
        "kind": kind,
        "kinds": [("", gettext("Find out"), words.KIND_HINTS[""])]
        + [(key, label, words.KIND_HINTS[key]) for key, label in words.KINDS.items()],
        "preset": preset,
        "presets": [
            *((key, each.WORDS.get(language, each.WORDS["en"])) for key, each in SOURCES.all.items()),
            *((key, each.words.get(language, each.words["en"])) for key, each in all_presets().items()),
        ],
        "samples": [(key, label, names) for key, (label, _kind, names) in SAMPLES.items()],
        "refused": refused or [],
        "error": error,
        "limit_bytes": settings.UPLOAD_LIMIT_BYTES,
        "limit_gigabytes": max(1, settings.UPLOAD_LIMIT_BYTES // 1024**3),
    }
    return answer(request, "imports/new.html", context, status=status)
