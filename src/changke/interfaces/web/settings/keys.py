"""Keys of machines. A secret is shown once, on the page that answers its making."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from changke.foundation.access.capabilities import BUILT_IN, Capability
from changke.foundation.access.models import ApiKey, Role
from changke.foundation.access.queries import rights_of
from changke.foundation.access.services import issue_key, revoke_key, rotate_key
from changke.foundation.access.services.grants import MoreThanOnesOwn
from changke.foundation.access.services.keys import PER_MINUTE
from changke.foundation.errors import DomainError
from changke.foundation.organisation.models import Store
from changke.interfaces import words
from changke.interfaces.capabilities import MEANINGS
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.services import sent_once
from changke.interfaces.web.settings.forms import KeyForm, RotateForm

OFFERED = [one for one in Capability if any(one in BUILT_IN[role.value] for role in (Role.STAFF, Role.MANAGER))]
"""Scopes that the page offers; the API takes every capability."""


@require_http_methods(["GET", "POST"])
@never_cache
@needs(Capability.KEYS_MANAGE)
@sent_once
def show(request: HttpRequest) -> HttpResponse:
    form = KeyForm(request.POST or None, initial={"role": Role.STAFF.value, "per_minute": PER_MINUTE})
    if request.method == "GET" or not form.is_valid():
        return _page(request, form, status=422 if form.errors else 200)
    given = form.cleaned_data
    try:
        issued = issue_key(
            name=given["name"],
            role=given["role"],
            stores=given["stores"],
            scopes=given["scopes"],
            networks=given["networks"].replace(",", " ").split(),
            per_minute=given["per_minute"] or PER_MINUTE,
            by=current.by(request),
            now=timezone.now(),
        )
    except DomainError as refused:
        form.refuse(refused)
        return _page(request, form, status=422)
    return _page(request, KeyForm(initial={"role": Role.STAFF.value, "per_minute": PER_MINUTE}), secret=issued.secret)


@require_POST
@never_cache
@needs(Capability.KEYS_MANAGE)
@sent_once
def rotate(request: HttpRequest, key_id: int) -> HttpResponse:
    """A successor, shown once; the old one opens for the chosen overlap longer."""
    key, form = _key(request, key_id), RotateForm(request.POST)
    hours = int(form.cleaned_data["overlap_hours"]) if form.is_valid() else 24
    issued = rotate_key(
        key,
        overlap=dt.timedelta(hours=hours),
        by=current.by(request),
        now=timezone.now(),
    )
    return _page(request, KeyForm(initial={"role": Role.STAFF.value, "per_minute": PER_MINUTE}), secret=issued.secret)


@require_POST
@needs(Capability.KEYS_MANAGE)
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    revoke_key(_key(request, key_id), by=current.by(request), now=timezone.now())
    toast(request, gettext("The key opens nothing any more"))
    return go(request, reverse("settings-keys"))


def _key(request: HttpRequest, key_id: int) -> ApiKey:
    """A key that may not do more than who asks: its successor would be shown to him."""
    key = get_object_or_404(ApiKey, pk=key_id)
    if not rights_of(current.staff(request)).covers(rights_of(key)):
        raise MoreThanOnesOwn
    return key


def _page(request: HttpRequest, form: KeyForm, *, secret: str = "", status: int = 200) -> HttpResponse:
    now = timezone.now()
    rows = [(key, words.ROLES[key.role], key.is_valid(now)) for key in ApiKey.objects.prefetch_related("stores")]
    stores, scopes = ({str(one) for one in form[name].value() or []} for name in ("stores", "scopes"))
    context = {
        "nav": "settings",
        "rows": rows,
        "form": form,
        "secret": secret,
        "roles": [(role.value, words.ROLES[role.value]) for role in (Role.STAFF, Role.MANAGER, Role.HQ)],
        "stores_here": [(store, str(store.pk) in stores) for store in Store.objects.order_by("name")],
        "scopes": [(one.value, MEANINGS[one], one.value in scopes) for one in OFFERED],
        "overlaps": [("0", gettext("at once")), ("1", gettext("in an hour")), ("24", gettext("in a day")),
                     ("168", gettext("in a week"))],
    }  # fmt: skip
    return answer(request, "settings/keys.html", context, status=status)
