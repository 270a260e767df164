"""What all forms share: who writes, where, about whom, when it happened, and which sending of the form it is."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import customer_in, phone_of
from changke.facts.customers.rules import masked_phone
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.errors import Invalid, NotAllowed
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast


@dataclass
class Setting:
    """The circumstances of one form, read from the request."""

    request: HttpRequest
    now: dt.datetime
    chain: Chain
    staff: Staff
    stores: list[Store]
    store: Store
    customer: Customer | None
    scope: Scope
    """Where one may write what the form writes."""
    token: str
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def posted(self) -> bool:
        return self.request.method == "POST"

    def given(self, name: str, default: str = "") -> str:
        """What was typed; before that, what the address says, or the default."""
        source = self.request.POST if self.posted else self.request.GET
        return source.get(name, "" if self.posted else default).strip()

    @property
    def key(self) -> str:
        """The same sending of the same form has the same key: a double tap is one fact."""
        return f"hand:{self.token}"

    def refuse(self, refusal: Invalid) -> None:
        """Put a refusal beside its field."""
        self.errors[refusal.field] = words.refusal(refusal)

    def moment(self) -> dt.datetime:
        """When it happened: now, or what was chosen, on the clock of the store."""
        text = self.given("when")
        if not text:
            return self.now
        try:
            local = dt.datetime.fromisoformat(text)
        except ValueError:
            raise Invalid(field="when", reason="not a moment") from None
        moment = local.replace(tzinfo=ZoneInfo(self.store.time_zone)) if local.tzinfo is None else local
        if moment > self.now + dt.timedelta(minutes=10):
            raise Invalid(field="when", reason="lies in the future")
        return moment

    def by(self) -> Staff | None:
        """Who served her, if that is one of the store's people."""
        wanted = self.given("staff")
        return next((one for one in self.colleagues() if str(one.pk) == wanted), None)

    def colleagues(self) -> list[Staff]:
        """Who works in the store, oneself first."""
        found = list(Staff.objects.filter(is_active=True, stores=self.store).order_by("name"))
        return sorted(found, key=lambda one: one.pk != self.staff.pk)


def setting_of(request: HttpRequest, now: dt.datetime, capability: Capability) -> Setting:
    """Read the circumstances; a customer or a store where you may not write does not exist."""
    staff, scope = current.staff(request), current.scope_for(request, capability)
    stores = [store for store in current.stores(request) if store.is_open and scope.includes(store.pk)]
    if not stores:
        raise NotAllowed
    source = request.POST if request.method == "POST" else request.GET
    wanted = source.get("customer", "")
    customer = customer_in(scope, int(wanted)) if wanted.isascii() and wanted.isdigit() else None
    return Setting(
        request=request,
        now=now,
        chain=the_chain(),
        staff=staff,
        stores=stores,
        store=_store(request, stores, source.get("store", ""), customer),
        customer=customer,
        scope=scope,
        token=_token(source.get("token", "")),
    )


def show(setting: Setting, part: str, context: dict[str, Any], *, title: object, icon: str = "") -> HttpResponse:
    """The form, with what was typed and what is wrong with it; 422 where something is."""
    common = {
        "nav": "record",
        "part": part,
        "title": title,
        "here": setting.request.path,
        "setting": setting,
        "customer": card_of(setting.customer) if setting.customer else None,
        "errors": setting.errors,
        "stores": [(store.pk, store.name) for store in setting.stores],
        "colleagues": [(one.pk, one.name) for one in setting.colleagues()],
        "chosen_staff": setting.given("staff", str(setting.staff.pk)),
        "when": setting.given("when"),
        "next": setting.given("next"),
    }
    return answer(
        setting.request, "record/form.html", common | context, part=part, status=422 if setting.errors else 200
    )


def written(setting: Setting, text: str, customer: Customer | None, *, undo_url: str = "") -> HttpResponse:
    """Say that it is written down and lead to where it can be seen."""
    toast(setting.request, text, undo_url=undo_url)
    wanted = setting.given("next")
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts={setting.request.get_host()}):
        return go(setting.request, wanted)
    return go(setting.request, reverse("customer", args=[customer.pk]) if customer else reverse("record"))


@dataclass(frozen=True)
class Card:
    """Who a form is about, so that nobody writes about the wrong one. Allergies are always said."""

    pk: int
    name: str
    phone: str
    store: str
    allergies: str


def card_of(customer: Customer) -> Card:
    phone = phone_of(customer)
    store = customer.home_store.name if customer.home_store else ""
    return Card(customer.pk, customer.name, masked_phone(phone) if phone else "", store, customer.allergies)


def _store(request: HttpRequest, stores: list[Store], wanted: str, customer: Customer | None) -> Store:
    by_id = {str(store.pk): store for store in stores}
    if wanted in by_id:
        return by_id[wanted]
    chosen = current.chosen_store(request)
    if chosen is not None and str(chosen.pk) in by_id:
        return chosen
    return by_id.get(str(customer.home_store_id) if customer else "", stores[0])


def _token(text: str) -> str:
    try:
        return uuid.UUID(hex=text).hex
    except ValueError:
        return uuid.uuid4().hex
