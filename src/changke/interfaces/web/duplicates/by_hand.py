"""From a customer's page: the records that are read as hers, and another one to merge with her."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import customer_in, family_of, link_in
from changke.facts.customers.services.merge import joined_to, merge, unmerge
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError, NotFound
from changke.foundation.organisation.scope import Scope
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.duplicates.sides import compare
from changke.interfaces.web.record.pick import chosen, find


@never_cache
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, customer_id: int) -> HttpResponse:
    scope = current.scope_for(request, Capability.CUSTOMER_MERGE)
    customer = customer_in(scope, customer_id)
    if request.method == "GET":
        return _page(request, customer, scope)
    other = chosen(scope, request.POST.get("other", ""))
    if other is None:
        return _page(request, customer, scope, error=gettext("Choose the other record."), status=422)
    # Who stays is named whole: `into` is one of the two, whichever was on the left.
    stays, goes = (other, customer) if request.POST.get("into") == str(other.pk) else (customer, other)
    try:
        link = merge(goes.pk, stays.pk, by=current.by(request), now=timezone.now())
    except DomainError as refusal:
        return _page(request, customer, scope, error=words.refusal(refusal), status=refusal.status)
    toast(
        request,
        gettext("Merged into %(name)s") % {"name": stays},
        undo_url=reverse("customer-separate", args=[stays.pk, link.batch_id]),
    )
    return go(request, reverse("customer", args=[stays.pk]))


@require_POST
def separate(request: HttpRequest, customer_id: int, batch_id: int) -> HttpResponse:
    """Both are themselves again."""
    scope = current.scope_for(request, Capability.CUSTOMER_MERGE)
    customer = customer_in(scope, customer_id)
    try:
        link = unmerge(link_in(scope, customer.pk, batch_id), by=current.by(request), now=timezone.now())
    except DomainError as refusal:
        if isinstance(refusal, NotFound):
            raise
        toast(request, words.refusal(refusal), bad=True)
        return go(request, reverse("customer-merge", args=[customer.pk]))
    toast(request, gettext("Separated: %(name)s is herself again") % {"name": link.merged})
    return go(request, reverse("customer", args=[link.into_id]))


def _page(
    request: HttpRequest, customer: Customer, scope: Scope, *, error: str = "", status: int = 200
) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    other = chosen(scope, request.GET.get("with", "") or request.POST.get("other", ""))
    if other is not None and other.pk == customer.pk:
        other, error = None, error or gettext("This is the same record.")
    context: dict[str, Any] = {
        "nav": "customers",
        "customer": customer,
        "here": reverse("customer-merge", args=[customer.pk]),
        "q": text,
        "found": [one for one in find(text, scope) if one.pk != customer.pk] if text and other is None else [],
        "joined": joined_to(family_of(customer.pk)),
        "error": error,
    }
    if other is not None:
        pair = (customer.pk, other.pk)
        context |= {"other": other, "compared": compare([pair])[pair]}
    return answer(
        request,
        "duplicates/by_hand.html",
        context,
        part="duplicates/_found.html" if "q" in request.GET else None,
        status=status,
    )
