"""Regions: named, hung where they belong, taken away when nothing hangs from them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.foundation.organisation.models import Region
from changke.foundation.organisation.queries import names_of_regions
from changke.foundation.organisation.services import add_region, change_region, remove_region
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.settings.forms import RegionForm


@require_http_methods(["GET", "POST"])
@needs(Capability.ORGANISATION_MANAGE)
def add(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, RegionForm(initial={"parent": request.GET.get("parent", "")}), None)
    form = RegionForm(request.POST)
    if form.is_valid():
        try:
            add_region(
                name=form.cleaned_data["name"],
                parent=form.cleaned_data["parent"],
                by=current.by(request),
                now=timezone.now(),
            )
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Region added"))
            return go(request, reverse("settings-stores"))
    return _page(request, form, None, status=422)


@require_http_methods(["GET", "POST"])
@needs(Capability.ORGANISATION_MANAGE)
def edit(request: HttpRequest, region_id: int) -> HttpResponse:
    region = get_object_or_404(Region, pk=region_id)
    if request.method == "GET":
        return _page(request, RegionForm(initial={"name": region.name, "parent": region.parent_id}), region)
    form = RegionForm(request.POST)
    if form.is_valid():
        try:
            region = change_region(
                region,
                name=form.cleaned_data["name"],
                parent=form.cleaned_data["parent"],
                by=current.by(request),
                now=timezone.now(),
            )
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Saved"))
            return go(request, reverse("settings-stores"))
    return _page(request, form, region, status=422)


@require_POST
@needs(Capability.ORGANISATION_MANAGE)
def remove(request: HttpRequest, region_id: int) -> HttpResponse:
    region = get_object_or_404(Region, pk=region_id)
    remove_region(region, by=current.by(request), now=timezone.now())
    toast(request, gettext("Region removed"))
    return go(request, reverse("settings-stores"))


def _page(request: HttpRequest, form: RegionForm, region: Region | None, status: int = 200) -> HttpResponse:
    below = Region.objects.filter(path__startswith=region.path) if region else Region.objects.none()
    inside = set(below.values_list("pk", flat=True))
    places = [(pk, name) for pk, name in names_of_regions().items() if pk not in inside]
    context = {"nav": "settings", "form": form, "region": region, "places": places}
    return answer(request, "settings/region.html", context, status=status)
