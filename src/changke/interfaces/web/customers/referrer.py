"""From a customer's page: who brought her. Found by phone or name among those one may see; a wrong one is taken off."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import customer_in
from changke.facts.referrals.queries import referrer_of
from changke.facts.referrals.services import name_referrer, take_off_referrer
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date
from changke.interfaces import words
from changke.interfaces.referrals import referrals_of
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.record.pick import chosen, find


@never_cache
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, customer_id: int) -> HttpResponse:
    scope = current.scope_for(request, Capability.CUSTOMER_EDIT)
    customer = customer_in(scope, customer_id)
    if request.method == "GET":
        return _page(request, customer, scope)
    other = chosen(scope, request.POST.get("other", ""))
    if other is None:
        return _page(request, customer, scope, error=gettext("Choose who brought her."), status=422)
    try:
        day = _day(request.POST.get("brought_on", "").strip())
        named = name_referrer(customer.pk, other.pk, brought_on=day, by=current.by(request), now=timezone.now())
    except DomainError as refusal:
        return _page(request, customer, scope, error=words.refusal(refusal), status=refusal.status)
    said = gettext("Brought by %(name)s") if named else gettext("%(name)s is named already")
    toast(request, said % {"name": other})
    return go(request, reverse("customer", args=[customer.pk]))


@require_POST
def off(request: HttpRequest, customer_id: int) -> HttpResponse:
    """The name was wrong. Sent twice, it came off once."""
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_EDIT), customer_id)
    try:
        take_off_referrer(customer.pk, by=current.by(request), now=timezone.now())
        toast(request, gettext("Taken off: nobody is named any more"))
    except DomainError as refusal:
        toast(request, words.refusal(refusal), bad=True)
    return go(request, reverse("customer-referrer", args=[customer.pk]))


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(field="brought_on", reason="is not a day: write it as 2026-03-01") from None


def _page(
    request: HttpRequest, customer: Customer, scope: Scope, *, error: str = "", status: int = 200
) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    other = chosen(scope, request.GET.get("with", "") or request.POST.get("other", ""))
    today = business_date(timezone.now(), the_chain().time_zone)
    said = referrer_of(customer.pk)
    writer = Staff.objects.filter(pk=said.staff_id).first() if said and said.staff_id else None
    context: dict[str, Any] = {
        "nav": "customers",
        "customer": customer,
        "here": reverse("customer-referrer", args=[customer.pk]),
        "q": text,
        "found": [one for one in find(text, scope) if one.pk != customer.pk] if text and other is None else [],
        "referrals": referrals_of(customer, scope=scope, today=today),
        "writer": writer,
        "how": words.REFERRAL_HOWS[said.how] if said else "",
        "other": other,
        "brought_on": request.POST.get("brought_on", customer.known_on.isoformat()),
        "today": today,
        "error": error,
    }
    part = "duplicates/_found.html" if "q" in request.GET else None
    return answer(request, "customers/referrer.html", context, part=part, status=status)
