"""The catalogue by a sheet: sent, looked through, taken in; and as a sheet to fill in."""

import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext, pgettext
from django.views.decorators.http import require_GET, require_http_methods

from changke.facts.catalog.models import Item
from changke.facts.catalog.queries import items_of
from changke.facts.catalog.rules import percent
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.interfaces import words
from changke.interfaces.catalogue.planning import plan_of
from changke.interfaces.catalogue.work import Done, carry_out, would
from changke.interfaces.importers.error_file import safe
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.imports.drafts import shown_name
from changke.interfaces.web.items.wanted import filters_of
from changke.interfaces.web.record.drafts import typed
from changke.interfaces.web.uploads import incoming, too_large

MOST_ROWS = 2_000
"""Of a sheet that a page takes in while somebody waits: about ten seconds."""
MOST_BYTES = 20 * 1024**2
MOST_SHOWN = 200
KEPT = re.compile(r"[0-9a-f]{32}")


@require_http_methods(["GET", "POST"])
@needs(Capability.CATALOG_MANAGE)
def load(request: HttpRequest) -> HttpResponse:
    """A file is looked through first; its page does it."""
    if request.method == "GET":
        return _page(request)
    if kept := request.POST.get("kept", ""):
        path = _kept(kept)
        if path is None or not path.is_file():
            return _page(request, error=gettext("The file is no longer here: choose it again."))
        return _taken_in(request, path, shown_name(request.POST.get("name", "")))
    file = request.FILES.get("file")
    if too_large(request) or (file is not None and (file.size or 0) > MOST_BYTES):
        return _page(request, error=gettext("The file is too large for the page: load it by “changke items --load”."))
    if file is None:
        return _page(request, error=gettext("Choose a file."))
    token = uuid4().hex
    path = incoming() / f"{token}.items"
    shutil.move(file.temporary_file_path(), path)  # type: ignore[attr-defined]
    Path(file.temporary_file_path()).touch()  # type: ignore[attr-defined]  # Django deletes it when the request ends
    return _looked_through(request, path, shown_name(file.name or ""), token)


def _looked_through(request: HttpRequest, path: Path, name: str, token: str) -> HttpResponse:
    try:
        plan = plan_of(path, name, currency=formats.currency.get(), most=MOST_ROWS)
    except (DomainError, UnreadableFile) as refused:
        path.unlink(missing_ok=True)
        return _page(request, error=_said(refused))
    return _page(request, done=would(plan), name=name, kept=token)


def _taken_in(request: HttpRequest, path: Path, name: str) -> HttpResponse:
    try:
        plan = plan_of(path, name, currency=formats.currency.get(), most=MOST_ROWS)
        done = carry_out(plan, by=current.by(request), now=timezone.now())
    except (DomainError, UnreadableFile) as refused:
        return _page(request, error=_said(refused))
    finally:
        path.unlink(missing_ok=True)
    return _page(request, done=done, name=name)


def _page(
    request: HttpRequest, *, done: Done | None = None, name: str = "", kept: str = "", error: str = ""
) -> HttpResponse:
    context = {
        "nav": "settings", "done": done, "name": name, "kept": kept, "error": error,
        "bad": done.bad[:MOST_SHOWN] if done else [], "limit_bytes": MOST_BYTES,
        "something": done is not None and done.writes,
    }  # fmt: skip
    return answer(request, "items/sheet.html", context, status=422 if error else 200)


def _said(refused: DomainError) -> str:
    if isinstance(refused, UnreadableFile):
        return refused.words(get_language() or "zh-hans")
    return words.refusal(refused)


def _kept(token: str) -> Path | None:
    return incoming() / f"{token}.items" if KEPT.fullmatch(token) else None


@require_GET
@needs(Capability.CATALOG_MANAGE)
def take_out(request: HttpRequest) -> StreamingHttpResponse:
    """The items of the list as a sheet of the columns that are read back."""
    rows = items_of(filters_of(request.GET.dict()).wanted())
    response = StreamingHttpResponse(_lines(rows.iterator(1_000)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="items.csv"'
    return response


def _lines(rows: Iterator[Item]) -> Iterator[str]:
    line, currency = csv.writer(Echo()), formats.currency.get()
    heads = (
        gettext("Code"), pgettext("thing", "Name"), gettext("Kind"), gettext("Category"), gettext("Price"),
        gettext("Cost"), gettext("Usual cycle in days"), gettext("Margin"), gettext("In use"),
    )  # fmt: skip
    yield "\ufeff" + line.writerow(heads)
    for one in rows:
        points = one.category.margin_basis_points if one.category else None
        yield line.writerow(
            [
                safe(one.code), safe(one.name), str(words.ITEM_KINDS[one.kind]),
                safe(one.category.name) if one.category else "",
                "" if one.price_minor is None else typed(one.price_minor, currency),
                "" if one.unit_cost_minor is None else typed(one.unit_cost_minor, currency),
                one.usual_cycle_days or "", "" if points is None else f"{percent(points)}%",
                gettext("yes") if one.is_active else gettext("no"),
            ]
        )  # fmt: skip


class Echo:
    """A file that hands back what is written into it."""

    def write(self, text: str) -> str:
        return text
