"""One's own PIN."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from changke.foundation.errors import DomainError
from changke.foundation.login.queries import has_pin
from changke.foundation.login.services.pins import set_pin
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.login.forms import OwnPinForm
from changke.interfaces.web.login.where import safe_next


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("present", "pin", "again")
def mine(request: HttpRequest) -> HttpResponse:
    form = OwnPinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            set_pin(
                current.staff(request),
                pin=given["pin"],
                password=given["present"],
                by=current.by(request),
                now=timezone.now(),
            )
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Your PIN counts on the devices of your store."))
            return go(request, safe_next(request, reverse("me")))
    context = {
        "nav": "me",
        "form": form,
        "there": has_pin(current.staff(request)),
        "next": safe_next(request, reverse("me")),
    }
    return answer(request, "login/pin.html", context, status=422 if form.errors else 200)
