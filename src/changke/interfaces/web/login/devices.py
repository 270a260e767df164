"""The devices of one's stores: bound where they lie, taken back from anywhere."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.queries import scope_of
from changke.foundation.errors import DomainError
from changke.foundation.login.models import Device
from changke.foundation.login.queries import devices_in
from changke.foundation.login.services import devices
from changke.foundation.organisation.models import Store
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.login import bound
from changke.interfaces.web.login.forms import BindForm


@require_http_methods(["GET", "POST"])
@needs(Capability.DEVICES_BIND)
def show(request: HttpRequest) -> HttpResponse:
    """The list; a POST binds the device that sends it."""
    now, scope = timezone.now(), scope_of(current.staff(request), Capability.DEVICES_BIND)
    stores = Store.objects.for_scope(scope).filter(is_open=True).order_by("name")
    form = BindForm(request.POST or None)
    form.fields["store"].queryset = stores  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = devices.bind(
                given["store"], name=given["name"], person=current.staff(request), by=current.by(request), now=now
            )
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("This device is bound. Log out, and your colleagues find their names on it."))
            response = go(request, reverse("devices"))
            bound.keep(response, made.token)
            return response
    here = bound.device(request)
    context = {
        "nav": "me",
        "rows": [(one, here is not None and one.pk == here.pk) for one in devices_in(scope, now=now)],
        "here": here,
        "form": form,
        "stores_here": [(store.pk, store.name) for store in stores],
    }
    return answer(request, "login/devices.html", context, status=422 if form.errors else 200)


@require_POST
@needs(Capability.DEVICES_BIND)
def revoke(request: HttpRequest, device_id: int) -> HttpResponse:
    scope = scope_of(current.staff(request), Capability.DEVICES_BIND)
    device = get_object_or_404(Device.objects.for_scope(scope), pk=device_id)
    devices.revoke(device, by=current.by(request), now=timezone.now())
    toast(request, gettext("That device opens nothing any more."))
    return go(request, reverse("devices"))
