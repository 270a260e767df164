"""Acts on a customer's page: the telephone, tags, photos."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from changke.facts.customers.models import Customer, Note, Tag
from changke.facts.customers.queries import customer_in, phone_of
from changke.facts.customers.rules import local_phone
from changke.facts.customers.services import tags
from changke.facts.customers.services.unmask import unmask
from changke.facts.events import services as events
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.queries import the_chain
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast, wants_part
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


@require_POST
def add_tag(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Put a tag on her. An undo names it in the address."""
    customer = _customer(request, customer_id, Capability.CUSTOMER_EDIT)
    name = request.POST.get("tag") or request.GET.get("tag", "")
    try:
        with transaction.atomic():
            known = set(Tag.objects.filter(customer=customer).values_list("name", flat=True))
            tag = tags.add_tag(customer, name, by=current.by(request), now=timezone.now())
            if tag.name not in known:
                _record("tag.added", customer, request, {"tag": tag.pk})
    except Invalid as refusal:
        return _tags(request, customer, error=words.refusal(refusal), typed=name, status=422)
    return _tags(request, customer)


@require_POST
def remove_tag(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = _customer(request, customer_id, Capability.CUSTOMER_EDIT)
    tag = get_object_or_404(Tag, customer=customer, name=request.POST.get("tag", ""))
    tags.remove_tag(customer, tag.name, by=current.by(request), now=timezone.now())
    undo = f"{reverse('customer-tags', args=[customer.pk])}?{urlencode({'tag': tag.name})}"
    toast(request, gettext("Tag “%(tag)s” taken off") % {"tag": tag.name}, undo_url=undo)
    return _tags(request, customer)


@require_GET
def photo(request: HttpRequest, customer_id: int, note_id: int) -> FileResponse:
    """The photo of a note, for who may see the customer; never from an address that anyone could guess."""
    customer = _customer(request, customer_id, Capability.CUSTOMER_VIEW)
    note = get_object_or_404(Note, pk=note_id, customer=customer)
    if not note.photo:
        raise Http404
    try:
        file = note.photo.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(file, content_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})


def _customer(request: HttpRequest, customer_id: int, capability: Capability) -> Customer:
    return customer_in(current.scope_for(request, capability), customer_id)


def _record(kind: str, customer: Customer, request: HttpRequest, data: dict[str, object]) -> None:
    now = timezone.now()
    events.record(
        kind,
        source_key=f"{kind}:{uuid.uuid4()}",
        happened_at=now,
        now=now,
        customer=customer,
        store=current.chosen_store(request) or customer.home_store,
        staff=current.staff(request),
        data=data,
        time_zone=the_chain().time_zone,
    )


def _tags(
    request: HttpRequest, customer: Customer, *, error: str = "", typed: str = "", status: int = 200
) -> HttpResponse:
    if not wants_part(request) and not error:
        return go(request, reverse("customer", args=[customer.pk]))
    context: dict[str, Any] = {
        "customer": customer,
        "tags": list(Tag.objects.filter(customer=customer).order_by("name")),
        "tag_error": error,
        "tag_typed": typed,
        "nav": "customers",
        "out_of_band": "tag" in request.GET,
    }
    return answer(request, "customers/tags.html", context, part="customers/_tags.html", status=status)
