"""The chain as a tree, and its stores."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.foundation.organisation.models import Region, Store
from changke.foundation.organisation.queries import names_of_regions, the_chain, tree
from changke.foundation.organisation.services import add_region, add_store
from changke.interfaces import organising
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.settings.forms import COMMON_ZONES, WEEKDAYS, StoreForm, zones


@require_GET
@needs(Capability.ORGANISATION_MANAGE)
def show(request: HttpRequest) -> HttpResponse:
    return answer(request, "settings/stores.html", {"nav": "settings", "nodes": tree()})


@require_http_methods(["GET", "POST"])
@needs(Capability.ORGANISATION_MANAGE)
def add(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        everyday = {"time_zone": the_chain().time_zone, "opening_days": [key for key, _ in WEEKDAYS], "is_open": True}
        return _page(request, StoreForm(initial=everyday), None)
    form = StoreForm(request.POST)
    if form.is_valid() and not form.cleaned_data["code"]:
        form.add_error("code", gettext("Give the store a code: tills and files call it by that."))
    if form.is_valid():
        given = form.cleaned_data
        try:
            add_store(
                code=given["code"],
                name=given["name"],
                region=_region(request, form),
                time_zone=given["time_zone"],
                opening_days=sorted(map(int, given["opening_days"])),
                by=current.by(request),
                now=timezone.now(),
            )
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Store added"))
            return go(request, reverse("settings-stores"))
    return _page(request, form, None, status=422)


@require_http_methods(["GET", "POST"])
@needs(Capability.ORGANISATION_MANAGE)
def edit(request: HttpRequest, store_id: int) -> HttpResponse:
    store = get_object_or_404(Store, pk=store_id)
    if request.method == "GET":
        initial = {field: getattr(store, field) for field in ("name", "code", "time_zone", "is_open")}
        initial |= {"region": store.region_id, "opening_days": list(map(str, store.opening_days))}
        return _page(request, StoreForm(initial=initial), store)
    form = StoreForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        changes = {field: given[field] for field in ("name", "time_zone", "is_open")}
        changes |= {"region": _region(request, form), "opening_days": sorted(map(int, given["opening_days"]))}
        try:
            organising.change(store, changes, by=current.by(request), now=timezone.now())
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Saved"))
            return go(request, reverse("settings-stores"))
    return _page(request, form, store, status=422)


def _region(request: HttpRequest, form: StoreForm) -> Region | None:
    new = form.cleaned_data["new_region"].strip()
    chosen: Region | None = form.cleaned_data["region"]
    return add_region(name=new, by=current.by(request), now=timezone.now()) if new else chosen


def _page(request: HttpRequest, form: StoreForm, store: Store | None, status: int = 200) -> HttpResponse:
    open_days = set(map(str, form["opening_days"].value() or []))
    context = {
        "nav": "settings",
        "form": form,
        "store": store,
        "regions": list(names_of_regions().items()),
        "zones": zones()[: len(COMMON_ZONES)] if not store or store.time_zone in COMMON_ZONES else zones(),
        "weekdays": [(key, label, key in open_days) for key, label in WEEKDAYS],
    }
    return answer(request, "settings/store.html", context, status=status)
