"""By what she is known: phones, addresses, accounts and numbers; a further one, and one that is not hers after all."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from changke.facts.customers.models import Customer, Identifier, IdentifierKind
from changke.facts.customers.queries import customer_in, family_of, values_of
from changke.facts.customers.rules import IN_CLEAR, masked
from changke.facts.customers.services.add_name import add_name
from changke.facts.customers.services.meet import IdentifierTaken
from changke.facts.customers.services.remove_name import remove_name
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError, Invalid, NotFound
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast

KINDS: dict[str, str | Promise] = {
    IdentifierKind.PHONE: _("Phone"),
    IdentifierKind.EMAIL: _("E-mail"),
    IdentifierKind.CARD: _("Card number"),
    IdentifierKind.EXTERNAL: _("Number in another system"),
    IdentifierKind.WECOM: _("WeCom id"),
    IdentifierKind.UNIONID: _("Union id"),
}


@dataclass(frozen=True)
class Name:
    pk: int
    kind: str
    source: str
    said: str
    shared: bool
    suppressed: bool
    stays: bool
    """The number of another system is not taken off."""


@never_cache
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_EDIT), customer_id)
    if request.method == "GET":
        return _page(request, customer)
    typed = {name: request.POST.get(name, "").strip() for name in ("kind", "value", "source", "share")}
    errors, taken = {}, False
    try:
        if typed["kind"] not in KINDS:
            raise Invalid(field="kind", reason="choose what it is")
        if typed["kind"] == IdentifierKind.EXTERNAL and not typed["source"]:
            raise Invalid(field="source", reason="say which system the number is of")
        new = add_name(
            customer,
            typed["kind"],
            typed["value"],
            source=typed["source"],
            share=bool(typed["share"]),
            by=current.by(request),
            now=timezone.now(),
        )
    except IdentifierTaken:
        taken = typed["kind"] not in IN_CLEAR
        errors["value"] = gettext("Another customer has this already.")
    except Invalid as refusal:
        errors[refusal.field if refusal.field in typed else "value"] = words.refusal(refusal)
    else:
        toast(request, gettext("Added") if new else gettext("She has this already"))
        return go(request, reverse("customer-names", args=[customer.pk]))
    return _page(request, customer, typed=typed, errors=errors, taken=taken, status=422)


@require_POST
def off(request: HttpRequest, customer_id: int, identifier_id: int) -> HttpResponse:
    """It is not hers. Sent twice, it went once."""
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_EDIT), customer_id)
    try:
        remove_name(customer, identifier_id, by=current.by(request), now=timezone.now())
        toast(request, gettext("Taken off. What was recorded under it stays with her."))
    except NotFound:
        toast(request, gettext("She has this no more"))
    except DomainError as refusal:
        toast(request, words.refusal(refusal), bad=True)
    return go(request, reverse("customer-names", args=[customer.pk]))


def _page(
    request: HttpRequest,
    customer: Customer,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    taken: bool = False,
    status: int = 200,
) -> HttpResponse:
    rows = list(Identifier.objects.filter(customer__in=family_of(customer.pk)).order_by("kind", "shared", "pk"))
    values, seen = values_of(rows), set()
    names = []
    for one in rows:
        if (one.kind, values[one.pk]) not in seen:
            seen.add((one.kind, values[one.pk]))
            names.append(Name(one.pk, str(KINDS[one.kind]), one.source, masked(one.kind, values[one.pk]), one.shared,
                              one.suppressed, one.kind == IdentifierKind.EXTERNAL))  # fmt: skip
    context = {
        "nav": "customers",
        "customer": customer,
        "names": names,
        "kinds": [(key, str(said)) for key, said in KINDS.items()],
        "typed": typed or {"kind": "phone"},
        "errors": errors or {},
        "taken": taken,
    }
    return answer(request, "customers/names.html", context, status=status)
