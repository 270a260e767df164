"""The second step of a log-in: six digits of the phone, or a recovery code."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from changke.foundation.access.models import Staff
from changke.foundation.errors import DomainError
from changke.foundation.login.services import second_factor
from changke.interfaces import words
from changke.interfaces.web.answers import answer
from changke.interfaces.web.login.enter import enter, tell
from changke.interfaces.web.login.forms import CodeForm
from changke.interfaces.web.login.known import remember
from changke.interfaces.web.login.where import safe_next

PENDING = "pending"
"""In the session: who gave a right password and must still give a code. It opens no page."""
WITHIN = dt.timedelta(minutes=10)


def ask_for_code(request: HttpRequest, person: Staff) -> HttpResponse:
    """The password was right: on to the code, under a session of a new number."""
    request.session.cycle_key()
    request.session[PENDING] = {
        "staff": person.pk,
        "at": timezone.now().timestamp(),
        "hash": person.get_session_auth_hash(),
    }
    return redirect(f"{reverse('login-code')}?{urlencode({'next': safe_next(request)})}")


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def give_code(request: HttpRequest) -> HttpResponse:
    person = _pending(request)
    if person is None:
        return redirect("login")
    form, status = CodeForm(request.POST or None), 200
    if request.method == "POST" and form.is_valid():
        try:
            second_factor.check(person, code=form.cleaned_data["code"], now=timezone.now())
        except DomainError as refused:
            if isinstance(refused, second_factor.WrongCode):
                tell("login.failed", request, person)
            form.add_error(None, words.refusal(refused))
            status = refused.status
        else:
            enter(request, person, second_factor=True)
            response = redirect(safe_next(request))
            remember(request, response, person.pk)
            return response
    elif request.method == "POST":
        form.add_error(None, gettext("Write the code."))
        status = 422
    context: dict[str, Any] = {"form": form, "next": safe_next(request)}
    return answer(request, "login/code.html", context, status=status)


def _pending(request: HttpRequest) -> Staff | None:
    """Who may give a code now: not for long, and only while the password is the one she gave."""
    kept = request.session.get(PENDING)
    if not isinstance(kept, dict) or timezone.now().timestamp() - float(kept["at"]) > WITHIN.total_seconds():
        return None
    person = Staff.objects.filter(pk=kept["staff"], is_active=True).first()
    same = person is not None and constant_time_compare(person.get_session_auth_hash(), str(kept["hash"]))
    return person if same else None
