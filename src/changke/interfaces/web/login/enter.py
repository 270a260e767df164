"""The last step of every log-in: a session under a new number, and its row in the list of devices."""

from django.contrib import auth
from django.http import HttpRequest
from django.utils import timezone

from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.login.models import SignIn
from changke.foundation.login.services import sign_ins
from changke.interfaces import requests
from changke.interfaces.web.login import bound

BACKEND = "django.contrib.auth.backends.ModelBackend"
SIGN_IN = "sign_in"
"""In the session: the id of its row."""


def enter(request: HttpRequest, person: Staff, *, second_factor: bool = False) -> None:
    leave(request)  # somebody else may have been logged in here
    auth.login(request, person, backend=BACKEND)
    note(request, person, second_factor=second_factor)
    tell("login.succeeded", request, person)


def tell(action: str, request: HttpRequest, person: Staff | None) -> None:
    """Write down who came in, or who failed to. Of a name that nobody has nothing is kept: it may be a password typed
    into the wrong field."""
    where = requests.address(request), requests.request_id(request)
    by = By("staff", person.pk, person.name, *where) if person else By("system", None, "", *where)
    record(by=by, action=action, subject=f"staff:{person.pk if person else 0}", now=timezone.now())


def leave(request: HttpRequest) -> None:
    """Log out, and take the row out of the list of devices."""
    person, row = request.user, request.session.get(SIGN_IN)
    if isinstance(person, Staff) and isinstance(row, int):
        sign_ins.end(person, row, now=timezone.now())
    auth.logout(request)


def note(request: HttpRequest, person: Staff, *, second_factor: bool = False) -> SignIn:
    """Give the session a row of its own."""
    row = sign_ins.begin(
        person,
        ip=requests.address(request),
        browser=request.headers.get("User-Agent", ""),
        second_factor=second_factor,
        device=bound.device(request),
        now=timezone.now(),
    )
    request.session[SIGN_IN] = row.pk
    return row


def row_of(request: HttpRequest) -> SignIn | None:
    """The row of this session, as the middleware found it."""
    return getattr(request, "sign_in", None)
