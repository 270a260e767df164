"""Keys of machines. A secret is shown once, on the page that answers its making."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import ApiKey, Role
from changke.foundation.access.services import issue_key, revoke_key
from changke.foundation.organisation.models import Store
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.settings.forms import KeyForm


@require_http_methods(["GET", "POST"])
@needs(Capability.KEYS_MANAGE)
def show(request: HttpRequest) -> HttpResponse:
    form = KeyForm(request.POST or None)
    secret, status = "", 200
    if request.method == "POST":
        if form.is_valid():
            given = form.cleaned_data
            issued = issue_key(
                name=given["name"],
                role=given["role"],
                stores=given["stores"],
                by=current.by(request),
                now=timezone.now(),
            )
            secret, form = issued.secret, KeyForm()
        else:
            status = 422
    rows = [(key, words.ROLES[key.role]) for key in ApiKey.objects.prefetch_related("stores")]
    chosen = {str(one) for one in form["stores"].value() or []}
    context = {
        "nav": "settings",
        "rows": rows,
        "form": form,
        "secret": secret,
        "roles": [(role.value, words.ROLES[role.value]) for role in (Role.HQ, Role.MANAGER)],
        "stores_here": [(store, str(store.pk) in chosen) for store in Store.objects.order_by("name")],
    }
    response = answer(request, "settings/keys.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@needs(Capability.KEYS_MANAGE)
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    revoke_key(get_object_or_404(ApiKey, pk=key_id), by=current.by(request), now=timezone.now())
    toast(request, gettext("The key opens nothing any more"))
    return go(request, reverse("settings-keys"))
