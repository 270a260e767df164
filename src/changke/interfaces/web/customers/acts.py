"""Acts on a customer's page: the telephone, photos."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from changke.facts.customers.models import Customer, Note
from changke.facts.customers.queries import customer_in, family_of, phone_of
from changke.facts.customers.rules import local_phone
from changke.facts.events.services import unmask
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid, NotFound
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.customers.timeline import UNMASK_REASONS


@require_POST
def call(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Show the whole number and dial it; who looked, at whom and why is recorded first."""
    customer = _customer(request, customer_id, Capability.CUSTOMER_VIEW_PHONE)
    reason = request.POST.get("reason", "")
    if not phone_of(customer):
        raise NotFound
    if reason not in UNMASK_REASONS:
        raise Invalid(field="reason", reason="say why you look at the number")
    phone = unmask(customer, reason=reason, by=current.by(request), now=timezone.now())
    context = {
        "nav": "customers",
        "customer": customer,
        "number": local_phone(phone),
        "e164": phone,
        "dials": reason != "verify",
    }
    response = answer(request, "customers/call.html", context, part="customers/_phone_shown.html")
    response["Cache-Control"] = "no-store"
    return response


@require_GET
def photo(request: HttpRequest, customer_id: int, note_id: int) -> FileResponse:
    """The photo of a note, for who may see the customer; never from an address that anyone could guess."""
    customer = _customer(request, customer_id, Capability.CUSTOMER_VIEW)
    note = get_object_or_404(Note, pk=note_id, customer__in=family_of(customer.pk))
    if not note.photo:
        raise Http404
    try:
        file = note.photo.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(file, content_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})


def _customer(request: HttpRequest, customer_id: int, capability: Capability) -> Customer:
    return customer_in(current.scope_for(request, capability), customer_id)
