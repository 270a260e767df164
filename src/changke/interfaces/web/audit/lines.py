"""The list of the audit trail, and the same for one customer."""

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from changke.facts.customers.queries import customer_in
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.access.queries import allows
from changke.foundation.audit.models import AuditCheck, AuditLine
from changke.foundation.audit.queries import Wanted, lines_of, opened, restorable
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import start_of_day
from changke.interfaces import audited_words as said
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs

PAGE = 50


@dataclass(frozen=True)
class Row:
    """A line of the list, in words."""

    line: AuditLine
    action: str
    who: str
    subject: str
    place: str
    changes: list[said.Change]
    can_restore: bool


@require_GET
@needs(Capability.AUDIT_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    typed = {name: request.GET.get(name, "").strip() for name in ("who", "what", "about", "day", "to")}
    found = lines_of(_wanted(typed), before=_number(request.GET.get("before", "")), most=PAGE + 1)
    rows = _rows(request, found[:PAGE])
    kept = {name: text for name, text in typed.items() if text}
    last = AuditCheck.objects.first()
    context = {
        "nav": "audit",
        "rows": rows,
        "typed": typed,
        "filtered": bool(kept),
        "people": [(f"staff:{one.pk}", one.name) for one in Staff.objects.order_by("name")],
        "actions": sorted(((code, str(words)) for code, words in said.ACTIONS.items()), key=lambda one: one[1]),
        "older": _address({**kept, "before": str(found[PAGE - 1].pk)}) if len(found) > PAGE else "",
        "newest": _address(kept) if "before" in request.GET else "",
        "check": last,
        "breaches": [_breach(one) for one in last.broken] if last else [],
    }
    return answer(request, "audit/list.html", context)


@require_GET
def of_customer(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Who changed what of her, for whoever may change her."""
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_EDIT), customer_id)
    found = lines_of(Wanted(customer_id=customer.pk), before=_number(request.GET.get("before", "")), most=PAGE + 1)
    here = reverse("customer-changes", args=[customer.pk])
    context = {
        "nav": "customers",
        "customer": customer,
        "rows": _rows(request, found[:PAGE]),
        "older": f"{here}?before={found[PAGE - 1].pk}" if len(found) > PAGE else "",
        "newest": here if "before" in request.GET else "",
    }
    return answer(request, "audit/customer.html", context)


def _rows(request: HttpRequest, found: list[AuditLine]) -> list[Row]:
    opened(found)
    names = said.names_for(found, current.staff(request).role)
    may = allows(current.staff(request), Capability.AUDIT_RESTORE)
    return [
        Row(
            line,
            said.action(line.action),
            said.actor(line),
            said.subject(line, names),
            said.place(line),
            said.changes(line, names),
            may and restorable(line),
        )
        for line in found
    ]


def _wanted(typed: dict[str, str]) -> Wanted:
    zone = the_chain().time_zone
    kind, _colon, key = typed["who"].partition(":")
    first, last = _day(typed["day"]), _day(typed["to"])
    last = last or first
    return Wanted(
        actor=(kind, int(key)) if key.isdigit() else None,
        action=typed["what"],
        subject=typed["about"],
        since=start_of_day(first, zone) if first else None,
        until=start_of_day(last + dt.timedelta(days=1), zone) if last else None,
    )


def _breach(broken: dict[str, object]) -> dict[str, object]:
    return {"number": broken["line"] or broken["seal"], "words": said.BREACHES.get(str(broken["kind"]), broken["kind"])}


def _address(query: dict[str, str]) -> str:
    return f"{reverse('audit')}?{urlencode(query)}" if query else reverse("audit")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
