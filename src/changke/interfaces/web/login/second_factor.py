"""Setting up the second factor, new recovery codes, and taking it away from somebody who lost the phone."""

import pyotp
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.errors import DomainError
from changke.foundation.login.queries import needs_second_factor, recovery_codes_left, second_factor_of
from changke.foundation.login.services import second_factor
from changke.foundation.organisation.queries import the_chain
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.login.enter import row_of
from changke.interfaces.web.login.forms import CodeForm
from changke.interfaces.web.login.where import safe_next


@never_cache
@require_http_methods(["GET", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """Scan, type a first code, keep the recovery codes; afterwards: since when, and how many are left."""
    person = current.staff(request)
    if second_factor_of(person) is not None:
        return _there(request, person)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = second_factor.confirm(
                person,
                code=form.cleaned_data["code"],
                sign_in=row_of(request),
                by=current.by(request),
                now=timezone.now(),
            )
        except DomainError as refused:
            form.refuse(refused)
        else:
            return _codes(request, codes)
    return _scan(request, person, form)


def _scan(request: HttpRequest, person: Staff, form: CodeForm) -> HttpResponse:
    chain = the_chain()
    secret = second_factor.begin(person, now=timezone.now())
    uri = pyotp.TOTP(secret).provisioning_uri(name=person.username, issuer_name=chain.name)
    context = {
        "form": form,
        "uri": uri,
        "secret": " ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        "must": needs_second_factor(person, chain),
        "next": safe_next(request, reverse("me")),
    }
    return answer(request, "login/scan.html", context, status=422 if form.errors else 200)


def _there(request: HttpRequest, person: Staff) -> HttpResponse:
    """It is set up. A right code gets ten new recovery codes."""
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = second_factor.renew_recovery_codes(
                person, code=form.cleaned_data["code"], by=current.by(request), now=timezone.now()
            )
        except DomainError as refused:
            form.add_error("code", words.refusal(refused))
        else:
            return _codes(request, codes)
    factor = second_factor_of(person)
    context = {"nav": "me", "form": form, "factor": factor, "left": recovery_codes_left(person)}
    return answer(request, "login/second_factor.html", context, status=422 if form.errors else 200)


def _codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """Shown once, on the page that answers their making."""
    return answer(request, "login/recovery_codes.html", {"codes": codes, "next": safe_next(request, reverse("me"))})


@require_POST
@needs(Capability.STAFF_MANAGE)
def reset(request: HttpRequest, staff_id: int) -> HttpResponse:
    """An owner takes it away from somebody else, who sets up a new one at her next log-in."""
    person = get_object_or_404(Staff, pk=staff_id)
    second_factor.reset(person, by_person=current.staff(request), by=current.by(request), now=timezone.now())
    toast(request, gettext("Taken away. The next log-in sets up a new one; every session of hers has ended."))
    return go(request, reverse("settings-person", args=[person.pk]))
