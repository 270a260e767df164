"""Tags on a customer's page: on, off, not true; each with the reason why it is believed."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from changke.facts.customers.models import Customer, Tag, TagEnd
from changke.facts.customers.past import Worn, tags_at, tags_now
from changke.facts.customers.queries import customer_in
from changke.facts.customers.services import tags
from changke.facts.events import services as events
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast, wants_part


@dataclass(frozen=True)
class Shown:
    """A tag and its evidence in words. `receipt` leads to the purchase it was read from."""

    name: str
    evidence: str
    on: dt.date
    ages: dt.date | None
    by_rule: bool


@require_POST
def add(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Put a tag on her. An undo names it in the address."""
    customer = _customer(request, customer_id)
    name = request.POST.get("tag") or request.GET.get("tag", "")
    now = timezone.now()
    try:
        with transaction.atomic():
            known = set(Tag.objects.filter(customer=customer).values_list("name", flat=True))
            tag = tags.add_tag(customer, name, by=current.by(request), now=now)
            if tag.name not in known:
                _record(customer, request, {"tag": tag.pk}, now)
    except Invalid as refusal:
        return _answer(request, customer, error=words.refusal(refusal), typed=name, status=422)
    return _answer(request, customer)


@require_POST
def remove(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Take a tag off. Called wrong, no rule puts it on again; a person may."""
    customer = _customer(request, customer_id)
    tag = get_object_or_404(Tag, customer=customer, name=request.POST.get("tag", ""))
    wrong = request.POST.get("because") == TagEnd.DISPUTED
    because = TagEnd.DISPUTED if wrong else TagEnd.REMOVED
    tags.remove_tag(customer, tag.name, by=current.by(request), because=because, now=timezone.now())
    undo = f"{reverse('customer-tags', args=[customer.pk])}?{urlencode({'tag': tag.name})}"
    said = gettext("Tag “%(tag)s” called wrong") if wrong else gettext("Tag “%(tag)s” taken off")
    toast(request, said % {"tag": tag.name}, undo_url=undo)
    return _answer(request, customer)


def shown_at(customer_ids: list[int], moment: dt.datetime, time_zone: str) -> list[Shown]:
    """Her tags as she wore them at the moment, each with its evidence in words."""
    return [_shown(one, time_zone) for one in tags_at(customer_ids, moment)]


def shown_now(customer_ids: list[int], time_zone: str) -> list[Shown]:
    """The same as she wears them."""
    return [_shown(one, time_zone) for one in tags_now(customer_ids)]


def _shown(worn: Worn, time_zone: str) -> Shown:
    return Shown(
        name=worn.name,
        evidence=evidence(worn),
        on=business_date(worn.since, time_zone),
        ages=worn.stale_on,
        by_rule=bool(worn.rule),
    )


def evidence(worn: Worn) -> str:
    """Who or which rule put it on, from which fact."""
    kind, _, number = worn.fact.partition(":")
    if worn.rule and kind == "receipt":
        return gettext("Rule “%(rule)s”, from receipt %(number)s") % {"rule": worn.rule, "number": number}
    if worn.rule:
        return gettext("Rule “%(rule)s”") % {"rule": worn.rule}
    if worn.source.startswith("import:"):
        return gettext("From load %(number)s") % {"number": worn.source.partition(":")[2]}
    if worn.source == "api":
        return gettext("Sent by another system")
    return gettext("By %(name)s") % {"name": worn.given_by} if worn.given_by else gettext("By somebody of the shop")


def _customer(request: HttpRequest, customer_id: int) -> Customer:
    return customer_in(current.scope_for(request, Capability.CUSTOMER_EDIT), customer_id)


def _record(customer: Customer, request: HttpRequest, data: dict[str, object], now: dt.datetime) -> None:
    events.record(
        "tag.added",
        source_key=f"tag.added:{uuid.uuid4()}",
        happened_at=now,
        now=now,
        customer=customer,
        store=current.chosen_store(request) or customer.home_store,
        staff=current.staff(request),
        data=data,
        time_zone=the_chain().time_zone,
    )


def _answer(
    request: HttpRequest, customer: Customer, *, error: str = "", typed: str = "", status: int = 200
) -> HttpResponse:
    if not wants_part(request) and not error:
        return go(request, reverse("customer", args=[customer.pk]))
    time_zone = customer.home_store.time_zone if customer.home_store else the_chain().time_zone
    context: dict[str, Any] = {
        "customer": customer,
        "tags": shown_at([customer.pk], timezone.now(), time_zone),
        "tag_error": error,
        "tag_typed": typed,
        "nav": "customers",
        "out_of_band": "tag" in request.GET,
    }
    return answer(request, "customers/tags.html", context, part="customers/_tags.html", status=status)
