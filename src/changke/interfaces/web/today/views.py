"""The list of the day. Every view reads it anew: what a tap changed is seen in all tabs at their next answer."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from changke.decisions.next_best_action import queries
from changke.decisions.next_best_action.services import day_of as day_of_hers
from changke.decisions.next_best_action.services import record_followup
from changke.facts.customers.models import Customer
from changke.facts.customers.queries import customer_in
from changke.facts.customers.rules import local_phone
from changke.facts.events.services import unmask
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast, wants_part
from changke.interfaces.web.today.rows import Day, day_of, greeting
from changke.profiles.attributes.queries import last_bulk_run

POSTPONE_CHOICES = (3, 7, 14)
"""Days offered after a tap on "another day", which alone means tomorrow."""


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Whom to look after today."""
    chain, now = the_chain(), timezone.now()
    staff, store = current.staff(request), current.chosen_store(request)
    day = _day(request, chain, now)
    bulk = last_bulk_run()
    today = business_date(now, chain.time_zone)
    context = {
        "nav": "today",
        "day": day,
        "greeting": greeting(staff.name, now, store.time_zone if store else chain.time_zone),
        "date": day.on,
        "store": store,
        "bulk": bulk,
        "is_old": bulk is not None and bulk.as_of < today,
        "week": queries.week_of(staff.pk, now=now, today=today),
        "has_customers": bool(day.rows) or Customer.objects.for_scope(current.scope(request)).exists(),
        **_shared(request),
    }
    return answer(request, "today/list.html", context, part="today/_list.html")


@require_POST
def tick(request: HttpRequest, customer_id: int) -> HttpResponse:
    """What came of looking after her. `after` makes two taps on the same line one."""
    chain, now = the_chain(), timezone.now()
    customer = customer_in(current.scope_for(request, Capability.FACTS_RECORD), customer_id)
    outcome = request.POST.get("outcome", "")
    if outcome not in words.TAPS:
        raise Invalid(field="outcome", reason="choose one of %(choices)s", choices=", ".join(words.TAPS))
    after = _number(request.POST.get("after", ""))
    days = _number(request.POST.get("days", ""))
    event = record_followup(
        customer,
        reason=request.POST.get("reason", ""),
        outcome=outcome,
        until=day_of_hers(customer, chain, now) + dt.timedelta(days=days) if days else None,
        by=current.staff(request),
        source_key=source_key(customer_id, after),
        chain=chain,
        now=now,
    )
    said = str(event.data["outcome"])
    if said != outcome:
        toast(request, gettext("Somebody was faster: %(outcome)s.") % {"outcome": words.OUTCOMES[said]})
    elif event.recorded_at == now:  # of two taps only the first says it
        undo = reverse("today-reopen", args=[customer_id, event.pk]) + _query(request)
        text = gettext("%(name)s: %(outcome)s") % {"name": customer, "outcome": words.OUTCOMES[outcome]}
        toast(request, text, undo_url=undo)
    return _changed(request, customer_id, chain, now)


@require_POST
def reopen(request: HttpRequest, customer_id: int, after: int) -> HttpResponse:
    """Take a tap back: a further fact that puts the line back to do."""
    chain, now = the_chain(), timezone.now()
    customer = customer_in(current.scope_for(request, Capability.FACTS_RECORD), customer_id)
    record_followup(
        customer,
        reason="by_hand",
        outcome="reopened",
        by=current.staff(request),
        source_key=source_key(customer_id, after),
        chain=chain,
        now=now,
    )
    return _changed(request, customer_id, chain, now, aside="from" not in request.POST)


@require_POST
def dial(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Her whole number, once, for calling her now. That somebody looked is written down."""
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_VIEW_PHONE), customer_id)
    phone = unmask(customer, reason="call", by=current.by(request), now=timezone.now())
    context = {"customer_id": customer_id, "name": customer.name, "phone": phone, "shown": local_phone(phone)}
    return answer(request, "today/phone.html", {"nav": "today", **context}, part="today/_phone.html")


def source_key(customer_id: int, after: int) -> str:
    """One tap may follow one state of the line: two tabs that show the same state cannot both change it."""
    return f"followup:{customer_id}:after:{after}"


def _day(request: HttpRequest, chain: Chain, now: dt.datetime) -> Day:
    mine = current.staff(request).pk if _mine(request) else None
    return day_of(queries.today(current.scope(request), chain=chain, now=now, mine=mine), chain, now)


def _changed(
    request: HttpRequest, customer_id: int, chain: Chain, now: dt.datetime, *, aside: bool = False
) -> HttpResponse:
    """The line and the progress as they are now. `aside`: nobody waits for the line, it finds its place by itself."""
    if not wants_part(request):
        return go(request, reverse("today") + _query(request))
    day = _day(request, chain, now)
    context = {"day": day, "row": day.row(customer_id), "customer_id": customer_id, "aside": aside, **_shared(request)}
    return answer(request, "today/list.html", context, part="today/_changed.html")


def _shared(request: HttpRequest) -> dict[str, Any]:
    return {
        "mine": _mine(request),
        "show_store": current.chosen_store(request) is None,
        "postpone_choices": POSTPONE_CHOICES,
    }


def _mine(request: HttpRequest) -> bool:
    return "1" in (request.GET.get("mine"), request.POST.get("mine"))


def _query(request: HttpRequest) -> str:
    return "?mine=1" if _mine(request) else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
