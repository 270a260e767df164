"""The form of a customer's profile: errors beside the field, what was typed is kept."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import OF_HOME, customer_in, is_of
from changke.facts.customers.services.change import change
from changke.facts.events import services as events
from changke.facts.fields import rules
from changke.facts.fields.models import Field as OwnField
from changke.facts.fields.queries import fields_for
from changke.facts.fields.services import set_values
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.errors import Invalid
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.customers import own_fields
from changke.interfaces.web.customers.timeline import FIELD_WORDS

TEXTS = ("name", "occupation", "income_band", "city", "interests", "living", "allergies", "source")
NUMBERS = ("birth_year", "birth_month", "birth_day")


@dataclass
class Form:
    """What the fields hold, as typed, what they held when the form was opened, and what is wrong with them."""

    typed: dict[str, str]
    held: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)


@require_http_methods(["GET", "POST"])
def form(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = customer_in(current.scope_for(request, Capability.CUSTOMER_EDIT), customer_id)
    stores, advisers = _stores(request, customer), _advisers(request, customer)
    own = fields_for(current.staff(request).role)
    own_held = own_fields.held(own, customer.pk)
    if request.method == "GET":
        held = _held(customer)
        return _answer(request, customer, Form(held | own_held, held | own_held), stores, advisers, own)
    own_then = {name: request.POST.get(f"held_{name}", text) for name, text in own_held.items()}
    filled = Form(
        _typed(request.POST) | own_fields.sent(request.POST, own), _held_then(request.POST, customer) | own_then
    )
    changes = _changes(customer, filled, stores, advisers)
    scope = current.scope_for(request, Capability.CUSTOMER_EDIT)
    for name in OF_HOME & changes.keys() if not is_of(scope, customer) else ():
        filled.errors[name] = gettext("her home store says whose she is")
    typed = own_fields.read(own, filled.typed, own_then)
    filled.errors |= typed.errors
    if not filled.errors and (changes or typed.changes):
        try:
            _save(request, customer, changes, typed.changes)
        except Invalid as refusal:
            filled.errors[refusal.field] = words.refusal(refusal)
    if filled.errors:
        return _answer(request, customer, filled, stores, advisers, own, status=422)
    toast(request, gettext("Saved"))
    if not Customer.objects.for_scope(scope).filter(pk=customer.pk).exists():  # given to another, and seen no more
        return go(request, reverse("customers"))
    return go(request, reverse("customer", args=[customer.pk]))


def _held(customer: Customer) -> dict[str, str]:
    plain = {name: getattr(customer, name) for name in (*TEXTS, *NUMBERS, "gender")}
    plain |= {"home_store": customer.home_store_id, "adviser": customer.adviser_id}
    return {name: "" if value is None else str(value) for name, value in plain.items()}


def _held_then(sent: QueryDict, customer: Customer) -> dict[str, str]:
    """What the fields held when the form was opened: what was left alone must not write over what somebody else changed
    meanwhile, least of all an allergy."""
    now = _held(customer)
    return {name: sent.get(f"held_{name}", text) for name, text in now.items()}


def _typed(sent: QueryDict) -> dict[str, str]:
    return {name: sent.get(name, "").strip() for name in (*TEXTS, *NUMBERS, "gender", "home_store", "adviser")}


def _changes(
    customer: Customer, filled: Form, stores: Mapping[str, Store], advisers: Mapping[str, Staff]
) -> dict[str, object]:
    """The fields that somebody touched and that hold something else now; what cannot be read is an error beside its
    field."""
    now = _held(customer)
    different = {
        name: text for name, text in filled.typed.items() if name in now and text not in (filled.held[name], now[name])
    }
    changes: dict[str, object] = {}
    for name, text in different.items():
        if name in NUMBERS:
            if text and not (text.isascii() and text.isdigit() and len(text) <= 4):
                filled.errors[name] = gettext("a whole number, please")
            changes[name] = int(text) if text and name not in filled.errors else None
        elif name == "gender":
            changes[name] = text if text in words.GENDERS else ""
        elif name == "home_store":
            if text not in stores:
                filled.errors[name] = gettext("choose one of your stores")
            changes[name] = stores.get(text)
        elif name == "adviser":
            if text and text not in advisers:
                filled.errors[name] = gettext("choose somebody of this store")
            changes[name] = advisers.get(text)
        else:
            changes[name] = text
    return changes


@transaction.atomic
def _save(
    request: HttpRequest, customer: Customer, changes: Mapping[str, object], own: Mapping[str, rules.Plain]
) -> None:
    now = timezone.now()
    if own:
        set_values(customer.pk, own, by=current.by(request), now=now)
    if not changes:
        return
    change(customer.pk, changes, by=current.by(request), now=now)
    # Which fields, never what they held: a person's past is not kept in a stream that cannot be erased.
    events.record(
        "customer.changed",
        source_key=f"customer.changed:{uuid.uuid4()}",
        happened_at=now,
        now=now,
        customer=customer,
        store=customer.home_store,
        staff=current.staff(request),
        data={"fields": sorted(changes)},
        time_zone=the_chain().time_zone,
    )


def _stores(request: HttpRequest, customer: Customer) -> dict[str, Store]:
    found = {str(store.pk): store for store in current.stores(request) if store.is_open}
    if customer.home_store:
        found.setdefault(str(customer.home_store.pk), customer.home_store)
    return found


def _advisers(request: HttpRequest, customer: Customer) -> dict[str, Staff]:
    """Who works in one of the stores that the editor sees, and whoever is her adviser now."""
    stores = current.stores(request)
    staff = Staff.objects.filter(is_active=True, stores__in=stores).distinct().order_by("name")
    found = {str(one.pk): one for one in staff}
    if customer.adviser:
        found.setdefault(str(customer.adviser.pk), customer.adviser)
    return found


@dataclass(frozen=True)
class Field:
    """One text field of the form, ready to be shown."""

    name: str
    label: str | Promise
    value: str
    error: str
    hint: str | Promise = ""


HINTS: Mapping[str, str | Promise] = {
    "allergies": _("Stands in red on her page"),
    "source": _("Where she first came from"),
    "living": _("Family, work, what her days are like"),
}


def _answer(
    request: HttpRequest,
    customer: Customer,
    filled: Form,
    stores: Mapping[str, Store],
    advisers: Mapping[str, Staff],
    own: Sequence[OwnField],
    *,
    status: int = 200,
) -> HttpResponse:
    fields = {
        name: Field(name, FIELD_WORDS[name], text, filled.errors.get(name, ""), HINTS.get(name, ""))
        for name, text in filled.typed.items()
        if name in FIELD_WORDS
    }
    context: dict[str, Any] = {
        "nav": "customers",
        "customer": customer,
        "fields": fields,
        "held": filled.held,
        "errors": filled.errors,
        "own_inputs": own_fields.inputs(own, filled.typed, filled.errors),
        "gender_options": [(key, str(said)) for key, said in words.GENDERS.items() if key],
        "store_options": [(key, store.name) for key, store in stores.items()],
        "adviser_options": [(key, one.name) for key, one in advisers.items()],
    }
    return answer(request, "customers/edit.html", context, status=status)
