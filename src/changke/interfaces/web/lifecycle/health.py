"""Whether the stores are well: customers, deals, loyalty, profit, and at which of them the circle breaks."""

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.foundation.money import to_major
from changke.foundation.organisation.models import Store
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.profiles.lifecycle.health import CUSTOMERS, DEALS, LINKS, LOYALTY, PROFIT, Link, StoreHealth, health_of
from changke.profiles.value.profit import Profit, total

NAMES: dict[str, str | Promise] = {
    CUSTOMERS: _("Customers who bought"),
    DEALS: _("Days with a deal"),
    LOYALTY: _("Came back within 90 days"),
    PROFIT: _("Profit of each buyer"),
}
COLOURS = {CUSTOMERS: "intro", DEALS: "growth", LOYALTY: "mature", PROFIT: "silent"}


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    found = health_of(current.scope(request))
    stores = Store.objects.in_bulk([one.store_id for one in found])
    wanted = request.GET.get("store", "")
    chosen = next((one for one in found if str(one.store_id) == wanted), found[0] if len(found) == 1 else None)
    whole = total([Profit(month.margin_minor, month.revenue_minor, month.known_minor)
                   for one in found for month in one.months[-1:]])  # fmt: skip
    context = {
        "nav": "lifecycle",
        "names": [NAMES[name] for name in LINKS],
        "month": formats.month(max(one.months[-1].day for one in found), _language()) if found else "",
        "rows": [
            {
                "store": stores[one.store_id],
                "links": [_shown(link) for link in one.links],
                "breaks_at": NAMES.get(one.breaks_at, ""),
                "is_open": chosen is one,
            }
            for one in found
            if one.store_id in stores
        ],
        "chosen": stores.get(chosen.store_id) if chosen else None,
        "charts": _charts(chosen) if chosen else [],
        "known": formats.percent(whole.known_share or 0, 0) if whole.margin_minor is not None else "",
    }
    return answer(request, "lifecycle/health.html", context)


def _language() -> str:
    return get_language() or "zh-hans"


def _said(name: str, value: int | None) -> str:
    if value is None:
        return "–"
    if name == LOYALTY:
        return formats.basis_points(value, 0)
    return formats.money(value, formats.currency.get(), _language()) if name == PROFIT else formats.number(value)


def _shown(link: Link) -> dict[str, object]:
    return {
        "name": NAMES[link.name],
        "said": _said(link.name, link.value),
        # What rounds to nothing neither grew nor fell.
        "change": "" if abs(link.change_bp or 0) < 50 else formats.basis_points(abs(link.change_bp or 0), 0),
        "grew": (link.change_bp or 0) >= 0,
        "of_others": "" if link.of_others is None else _said(link.name, link.of_others),
        "is_weak": link.is_weak,
    }


def _charts(one: StoreHealth) -> list[dict[str, object]]:
    """A picture for each link over the months; a month without an answer is told as none."""
    language, currency = _language(), formats.currency.get()
    labels = [formats.month(month.day, language) for month in one.months]

    def plain(name: str, value: int | None) -> float:
        if name == LOYALTY:
            return round((value or 0) / 100)
        return round(to_major(value or 0, currency)) if name == PROFIT else value or 0

    units = {CUSTOMERS: gettext("customers"), DEALS: "", LOYALTY: "%", PROFIT: currency}
    return [
        {
            "key": name,
            "name": NAMES[name],
            "columns": [pgettext("lifecycle", "Month"), NAMES[name]],
            "data": {
                "labels": labels,
                "unit": units[name],
                "series": [
                    {
                        "name": str(NAMES[name]),
                        "colour": COLOURS[name],
                        "values": [plain(name, month.link(name)) for month in one.months],
                    }
                ],
            },
            "rows": [[label, _said(name, month.link(name))] for label, month in zip(labels, one.months, strict=True)],
        }
        for name in LINKS
    ]
