"""A shared device: who are you, and six digits. Two taps and a PIN change the person."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from changke.foundation.access.models import Staff
from changke.foundation.errors import DomainError
from changke.foundation.login.queries import faces_of
from changke.foundation.login.services.pins import check_pin
from changke.interfaces import words
from changke.interfaces.web.answers import answer
from changke.interfaces.web.login import bound
from changke.interfaces.web.login.enter import enter, leave
from changke.interfaces.web.login.forms import PinForm
from changke.interfaces.web.login.where import safe_next


@login_not_required
@never_cache
@sensitive_post_parameters("pin")
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """The people of the store; with `who` her PIN is asked. Nobody else's name is told, and only here."""
    device = bound.device(request)
    if device is None:
        return redirect("login")
    people = faces_of(device, getattr(request, "chain", None), now=timezone.now())
    who = (request.POST if request.method == "POST" else request.GET).get("who", "")
    chosen = next((person for person, has_pin in people if str(person.pk) == who and has_pin), None)
    form = PinForm(request.POST or None)
    status = 200
    if request.method == "POST" and chosen is not None and form.is_valid():
        try:
            check_pin(chosen, pin=form.cleaned_data["pin"], device=device, now=timezone.now())
        except DomainError as refused:
            form.add_error(None, words.refusal(refused))
            status = refused.status
        else:
            return _in(request, chosen)
    context = {
        "device": device,
        "people": people,
        "chosen": chosen,
        "form": form,
        "next": safe_next(request),
    }
    return answer(request, "login/faces.html", context, status=status)


def _in(request: HttpRequest, person: Staff) -> HttpResponse:
    enter(request, person)
    return redirect(safe_next(request))


@require_POST
def lock(request: HttpRequest) -> HttpResponse:
    """Let the next person come: this one is out at once."""
    leave(request)
    return redirect("device")
