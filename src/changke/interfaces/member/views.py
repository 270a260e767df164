"""One page: what she allows, each withdrawn by one tap; the switch; her data. It works without script."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from changke.facts.consents import rules
from changke.facts.consents.queries import personalised, verdicts
from changke.facts.consents.rules import Channel, Purpose, Topic
from changke.facts.consents.services.links import customer_of
from changke.facts.consents.services.state import Proof, state, withdraw_everything
from changke.facts.customers.models import Customer
from changke.facts.customers.queries import phone_of
from changke.facts.customers.rules import masked_phone
from changke.facts.events.services import record
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.periods import business_date
from changke.foundation.persons.registry import family_of
from changke.interfaces import requests, words
from changke.interfaces.member.pace import too_fast

PERSONAL: Topic = (Purpose.PERSONAL, Channel.NONE)
ASKS = ("export", "erase")


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
@seeing(CHAIN_WIDE)  # the token names her, whatever her store
def page(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows and changes nothing: messengers open links to make a preview. POST does one thing and comes back."""
    if too_fast(requests.address(request)):
        return _closed(request, gettext("Too often in a short time. Wait a minute."), 429)
    now = timezone.now()
    customer = customer_of(token, now=now)
    if customer is None:
        return _closed(request, gettext("This page is closed. Ask in the shop for a new code."), 404)
    if request.method == "POST":
        said = _do(request, customer, now)
        return redirect(f"{request.path}?done={said}")
    return _private(render(request, "member/page.html", _shown(request, customer, now)))


def _do(request: HttpRequest, customer: Customer, now: dt.datetime) -> str:
    family = family_of(customer.pk)
    proof = Proof(how="member_page", store=customer.home_store)
    more: dict[str, Any] = {
        "proof": proof,
        "source_key": f"member:{customer.pk}:{now.isoformat()}",
        "happened_at": now,
        "time_zone": the_chain().time_zone,
        "now": now,
    }
    match request.POST.get("act", ""):
        case "withdraw":
            topic = next((one for one in rules.topics() if _key(one) == request.POST.get("topic")), None)
            if topic is not None:
                state(family, [topic], given=False, **more)
                return "withdrawn"
        case "withdraw_all":
            withdraw_everything(family, **more)
            return "withdrawn"
        case "impersonal" | "personal" as switch:
            state(family, [PERSONAL], given=switch == "personal", **more)
            return "switched"
        case "export" | "erase" as what:
            _ask(customer, what, now)
            return "asked"
    return "nothing"


def _ask(customer: Customer, what: str, now: dt.datetime) -> None:
    """She wants her data, or to be forgotten: an event that the shop sees on her page. Once a day is enough."""
    zone = customer.home_store.time_zone if customer.home_store else the_chain().time_zone
    record(
        "data.requested",
        source_key=f"data.requested:{what}:{customer.pk}:{business_date(now, zone)}",
        happened_at=now,
        now=now,
        customer=customer,
        store=customer.home_store,
        data={"what": what},
        time_zone=zone,
    )


def _shown(request: HttpRequest, customer: Customer, now: dt.datetime) -> dict[str, Any]:
    zone = customer.home_store.time_zone if customer.home_store else the_chain().time_zone
    family = family_of(customer.pk)
    phone = phone_of(customer)
    return {
        "initial": f"{customer.name[:1]}**" if customer.name else "",
        "phone": masked_phone(phone) if phone else "",
        "given": [
            (_key(topic), words.topic(*topic))
            for topic, one in verdicts(family, at=now, on=business_date(now, zone)).items()
            if one.reason in {"given", "guardian_missing", "not_separate", "suppressed"} and one.since is not None
        ],
        "personal": personalised(family, at=now),
        "done": request.GET.get("done", ""),
    }


def _key(topic: Topic) -> str:
    return f"{topic[0]}-{topic[1]}".rstrip("-")


def _closed(request: HttpRequest, said: str, status: int) -> HttpResponse:
    return _private(render(request, "member/closed.html", {"said": said}, status=status))


def _private(response: HttpResponse) -> HttpResponse:
    """The address is the key: it goes to no other site and into no search engine. Not `no-referrer`: browsers then send
    `Origin: null` with a form, which the protection against foreign forms refuses."""
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    return response
