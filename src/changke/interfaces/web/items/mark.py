"""Kind and category of many items at once: those ticked, or all of the list. A fresh import leaves hundreds
as "other"."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from changke.facts.catalog.models import Category, ItemKind
from changke.facts.catalog.queries import items_of
from changke.facts.catalog.services.keep import change_items
from changke.facts.catalog.services.take_back import take_back_changes
from changke.foundation.access.capabilities import Capability
from changke.foundation.audit.models import AuditLine
from changke.interfaces import words
from changke.interfaces.requests import request_id
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.items.wanted import filters_of

MOST = 2_000
"""Items of one change: some seconds of work, each with its line in the trail."""
UNDO_WITHIN = dt.timedelta(minutes=15)
"""As for a receipt that was taken back."""
NO_CATEGORY = "0"


@require_POST
@needs(Capability.CATALOG_MANAGE)
def show(request: HttpRequest) -> HttpResponse:
    """Those ticked at once; all of a list after a page that says how many these are."""
    filters = filters_of({name: request.POST.get(name, "") for name in ("q", "kind", "category", "care")})
    here = reverse("items") + filters.address()
    kind, category = request.POST.get("set_kind", ""), request.POST.get("set_category", "")
    changes: dict[str, object] = {}
    if kind in ItemKind.values:
        changes["kind"] = kind
    if category == NO_CATEGORY:
        changes["category"] = None
    elif category.isascii() and category.isdigit() and len(category) < 19:
        changes["category"] = get_object_or_404(Category, pk=int(category))
    everything = "all" in request.POST
    ids = list(items_of(filters.wanted()).values_list("pk", flat=True)) if everything else _ticked(request)
    if not changes or not ids:
        toast(request, gettext("Choose a kind or a category, and tick the items that it is true of."), bad=True)
        return go(request, here)
    if len(ids) > MOST:
        said = gettext("At most %(most)s items at once: narrow the list.") % {"most": formats.number(MOST)}
        toast(request, said, bad=True)
        return go(request, here)
    if everything and "sure" not in request.POST:
        context = {
            "nav": "settings", "filters": filters, "count": len(ids), "here": here, "set_kind": kind,
            "set_category": category, "kind_words": words.ITEM_KINDS.get(str(changes.get("kind", "")), ""),
            "category": changes.get("category"), "sets_category": "category" in changes,
        }  # fmt: skip
        return answer(request, "items/mark.html", context)
    changed = change_items(ids, changes, by=current.by(request), now=timezone.now())
    said = ngettext("%(count)s item changed", "%(count)s items changed", changed)
    undo = reverse("items-mark-undo", args=[request_id(request)]) if changed else ""
    toast(request, said % {"count": formats.number(changed)}, undo_url=undo)
    return go(request, here)


@require_POST
@needs(Capability.CATALOG_MANAGE)
def undo(request: HttpRequest, number: str) -> HttpResponse:
    """Take back what one's own request set a moment ago, as the trail tells of it."""
    mine, now = current.by(request), timezone.now()
    lines = AuditLine.objects.filter(
        request_id=number, actor_kind=mine.kind, actor_id=mine.id, action="item.changed", at__gte=now - UNDO_WITHIN
    )
    back = take_back_changes(lines.order_by("pk"), by=mine, now=now)
    said = ngettext("%(count)s item is as it was", "%(count)s items are as they were", back)
    toast(request, said % {"count": formats.number(back)})
    return go(request, reverse("items"))


def _ticked(request: HttpRequest) -> list[int]:
    sent = request.POST.getlist("id")
    return sorted({int(one) for one in sent if one.isascii() and one.isdigit() and len(one) < 19})
