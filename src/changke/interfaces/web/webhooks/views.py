"""The pages of the addresses. A secret that we made is shown once, on the page that answers its making."""

import re
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from changke.facts.purchases.queries import waiting_returns
from changke.facts.purchases.services.receive import count_anyway
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError, NotFound
from changke.foundation.organisation.models import Store
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.settings.forms import RefusableForm
from changke.interfaces.web.webhooks import words
from changke.interfaces.webhooks.models import PrivacyRequest, WebhookAddress, WebhookDelivery
from changke.interfaces.webhooks.queries import address_of, addresses, delivery_of, refusals
from changke.interfaces.webhooks.services import receive
from changke.interfaces.webhooks.services.addresses import (
    change_address,
    make_address,
    map_place,
    queue_again,
    rotate_secret,
)
from changke.interfaces.webhooks.sources import SOURCES

SHOWN = 50


def source_words(key: str) -> str:
    language = get_language() or "zh-hans"
    return SOURCES[key].WORDS.get(language, key) if key in SOURCES else key


class AddressForm(RefusableForm):
    source = forms.ChoiceField(choices=lambda: [(key, key) for key in SOURCES])
    name = forms.CharField(max_length=120)
    client_id = forms.CharField(max_length=200, required=False)
    secret = forms.CharField(max_length=400, required=False)
    allowed_networks = forms.CharField(max_length=2000, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        source = SOURCES[cleaned["source"]] if "source" in cleaned else None
        if source and not source.MAKES_SECRET and not cleaned.get("secret"):
            self.add_error("secret", _("Copy the secret from the settings of the shop."))
        if source and source.HAS_CLIENT_ID and not cleaned.get("client_id"):
            self.add_error("client_id", _("Copy the client_id from the settings of the shop."))
        return cleaned


@require_http_methods(["GET", "POST"])
@needs(Capability.WEBHOOKS_MANAGE)
def show(request: HttpRequest) -> HttpResponse:
    """All addresses, the form for a new one, and returns whose purchase has not come."""
    form, now, status = AddressForm(request.POST or None), timezone.now(), 200
    if request.method == "POST":
        if form.is_valid():
            try:
                given = form.cleaned_data
                address, secret = make_address(
                    source=given["source"],
                    name=given["name"],
                    secret=given["secret"],
                    client_id=given["client_id"],
                    allowed_networks=re.split(r"[\s,;，；]+", given["allowed_networks"]),
                    created_by=current.staff(request),
                    by=current.by(request),
                    now=now,
                )
                return _page(request, address, secret=secret if SOURCES[address.source].MAKES_SECRET else "")
            except DomainError as refusal:
                form.refuse(refusal)
        status = 422
    context = {
        "nav": "settings",
        "rows": [(one, source_words(one.source)) for one in addresses(now=now)],
        "form": form,
        "sources": [(key, source_words(key)) for key in SOURCES],
        "returns": waiting_returns(current.scope_for(request, Capability.FACTS_RECORD))[:SHOWN],
    }
    return answer(request, "webhooks/list.html", context, status=status)


@require_http_methods(["GET"])
@needs(Capability.WEBHOOKS_MANAGE)
def one(request: HttpRequest, address_id: int) -> HttpResponse:
    return _page(request, address_of(address_id))


@require_POST
@needs(Capability.WEBHOOKS_MANAGE)
def rotate(request: HttpRequest, address_id: int) -> HttpResponse:
    address = address_of(address_id)
    try:
        secret = rotate_secret(
            address, secret=request.POST.get("secret", ""), by=current.by(request), now=timezone.now()
        )
    except DomainError:
        return _page(request, address, error=gettext("Copy the secret from the settings of the shop."))
    receive.forget_known()
    toast(request, gettext("The new secret counts; the old one opens for 24 hours more"))
    return _page(request, address, secret=secret if SOURCES[address.source].MAKES_SECRET else "")


@require_POST
@needs(Capability.WEBHOOKS_MANAGE)
def open_or_close(request: HttpRequest, address_id: int) -> HttpResponse:
    address = address_of(address_id)
    change_address(address, is_active=not address.is_active, by=current.by(request), now=timezone.now())
    receive.forget_known()
    toast(request, gettext("The address is open") if address.is_active else gettext("The address is closed"))
    return go(request, reverse("webhook-address", args=[address.pk]))


@require_POST
@needs(Capability.WEBHOOKS_MANAGE)
def map_one(request: HttpRequest, address_id: int) -> HttpResponse:
    address, chosen = address_of(address_id), request.POST.get("store", "")
    place = request.POST.get("place", "").replace("\x00", "").strip()[:40]
    store = (
        Store.objects.filter(pk=chosen).first() if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else None
    )
    if not place:
        raise NotFound
    woken = map_place(address, place, store, by=current.by(request), now=timezone.now())
    toast(
        request,
        ngettext("Saved; %(count)s delivery goes in now", "Saved; %(count)s deliveries go in now", woken)
        % {"count": woken},
    )
    return go(request, reverse("webhook-address", args=[address.pk]))


@require_POST
@needs(Capability.WEBHOOKS_MANAGE)
def read_again(request: HttpRequest, address_id: int, delivery_id: int) -> HttpResponse:
    again = queue_again(delivery_of(address_of(address_id), delivery_id))
    toast(request, gettext("It is read again") if again else gettext("Its letter is gone"), bad=not again)
    return go(request, reverse("webhook-address", args=[address_id]))


@require_POST
@needs(Capability.FACTS_RECORD)
def count_return(request: HttpRequest, waiting_id: int) -> HttpResponse:
    row = waiting_returns(current.scope_for(request, Capability.FACTS_RECORD)).filter(pk=waiting_id).first()
    if row is None:
        raise NotFound
    count_anyway(row, now=timezone.now())
    toast(request, gettext("The return counts for its store now"))
    return go(request, reverse("webhooks"))


def _page(request: HttpRequest, address: WebhookAddress, *, secret: str = "", error: str = "") -> HttpResponse:
    now = timezone.now()
    latest = WebhookDelivery.objects.filter(address=address).order_by("-pk")[:SHOWN]
    wishes = PrivacyRequest.objects.filter(address=address)[:SHOWN]
    context = {
        "nav": "settings",
        "address": address,
        "source": source_words(address.source),
        "makes_secret": address.source in SOURCES and SOURCES[address.source].MAKES_SECRET,
        "url": request.build_absolute_uri(reverse("webhook", args=[address.path])),
        "secret": secret,
        "error": error,
        "places": address.places.select_related("store"),
        "stores_here": [(store.pk, store.name) for store in Store.objects.order_by("name")],
        "refused": [(words.REFUSALS.get(reason, reason), times) for reason, times in refusals(address, now=now)],
        "wishes": [(wish, words.WISHES.get(wish.kind, wish.kind)) for wish in wishes],
        "deliveries": [
            (
                delivery,
                words.STATES[delivery.state],
                words.TONES[delivery.state],
                delivery.detail or words.REASONS.get(delivery.reason, delivery.reason),
                delivery.letter is not None and delivery.state in {"failed", "waiting"},
            )
            for delivery in latest
        ],
    }
    response = answer(request, "webhooks/address.html", context, status=422 if error else 200)
    response["Cache-Control"] = "no-store"
    return response
