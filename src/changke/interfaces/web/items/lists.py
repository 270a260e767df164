"""The items of the chain: found by name, code or pinyin, narrowed to what nobody has said yet."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from changke.facts.catalog.models import Category, Item
from changke.facts.catalog.queries import count_in_need, items_of
from changke.facts.catalog.rules import WITH_COST, percent
from changke.foundation.access.capabilities import Capability
from changke.interfaces import words
from changke.interfaces.web import formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.items.wanted import filters_of

PAGE = 50
MOST_SKIPPED = 100_000
KIND_TONES = {"service": "good", "product": "info", "card": "", "topup": "", "other": "warn"}
UNKNOWN: str | Promise = _("unknown")


@dataclass(frozen=True)
class Row:
    """An item in words. `margin` is what a receipt of today would reckon by; empty where nothing is rendered."""

    item: Item
    kind: str
    tone: str
    margin: str
    is_unknown: bool


@require_GET
@needs(Capability.CATALOG_MANAGE)
def show(request: HttpRequest) -> HttpResponse:
    filters = filters_of(request.GET.dict())
    rows = items_of(filters.wanted())
    sent = request.GET.get("from", "")
    skipped = min(int(sent), MOST_SKIPPED) if sent.isascii() and sent.isdigit() and len(sent) < 9 else 0
    total = rows.count()
    found = list(rows[skipped : skipped + PAGE])
    context = {
        "nav": "settings",
        "filters": filters,
        "rows": [row_of(one) for one in found],
        "total": total,
        "first": skipped + 1,
        "last": skipped + len(found),
        "previous": filters.address(**{"from": str(max(skipped - PAGE, 0) or "")}) if skipped else "",
        "next": filters.address(**{"from": str(skipped + PAGE)}) if skipped + PAGE < total else "",
        "kinds": list(words.ITEM_KINDS.items()),
        "categories": list(Category.objects.order_by("name").values_list("pk", "name")),
        **counts(),
    }
    return answer(request, "items/list.html", context, part="items/_rows.html")


def counts() -> dict[str, int]:
    """For the tabs of these pages."""
    return {
        "all_items": Item.objects.count(),
        "in_need": count_in_need(),
        "all_categories": Category.objects.count(),
    }


def row_of(item: Item) -> Row:
    return Row(item, str(words.ITEM_KINDS[item.kind]), KIND_TONES[item.kind], *_margin(item))


def _margin(item: Item) -> tuple[str, bool]:
    if item.kind not in WITH_COST:
        return "", False
    if item.unit_cost_minor is not None:
        if not item.price_minor:
            return gettext("by its cost"), False
        return formats.basis_points((item.price_minor - item.unit_cost_minor) * 10_000 // item.price_minor, 0), False
    points = item.category.margin_basis_points if item.category else None
    return (str(UNKNOWN), item.is_active) if points is None else (f"{percent(points)}%", False)
