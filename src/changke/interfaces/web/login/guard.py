"""At every request: is this session still one, and has its person brought all she must?"""

from collections.abc import Callable

from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from changke.foundation.access.models import Staff
from changke.foundation.login.models import SignIn
from changke.foundation.login.queries import needs_second_factor, second_factor_of
from changke.foundation.login.services import sign_ins
from changke.interfaces import requests
from changke.interfaces.web import current
from changke.interfaces.web.answers import wants_part
from changke.interfaces.web.login.enter import SIGN_IN, leave, note

OPEN = ("my-second-factor", "logout", "choose_language")
"""What one may do before the second factor is set up."""


class SignInMiddleware:
    """A session ended elsewhere is out. Who must have a second factor and has none is led to setting it up; the API
    does not know her until then."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not isinstance(request.user, Staff):
            return self.get_response(request)
        person = current.staff(request)
        row = self._row(request, person)
        if row is None or row.ended_at is not None:
            auth.logout(request)
            return self.get_response(request)
        if sign_ins.is_over(row, now=timezone.now()):
            return self._after_a_break(request, row)
        request.sign_in = row  # type: ignore[attr-defined]
        sign_ins.note_use(row, ip=requests.address(request), now=timezone.now())
        if not row.second_factor and needs_second_factor(person, getattr(request, "chain", None)):
            return self._without_code(request, person)
        return self.get_response(request)

    def _row(self, request: HttpRequest, person: Staff) -> SignIn | None:
        """The session's row; one that has none (it is older than this list) gets it now."""
        known = request.session.get(SIGN_IN)
        if known is None:
            return note(request, person)
        return SignIn.objects.select_related("device").filter(pk=known, staff=person).first()

    def _after_a_break(self, request: HttpRequest, row: SignIn) -> HttpResponseBase:
        """Out, and to the people of the device; the page one was on comes back after the PIN."""
        leave(request)
        if request.path.startswith("/api/"):
            return self.get_response(request)
        there = f"{reverse('device')}?{urlencode({'next': request.path})}"
        if wants_part(request):
            return HttpResponse(status=204, headers={"HX-Redirect": there})
        return redirect(there)

    def _without_code(self, request: HttpRequest, person: Staff) -> HttpResponseBase:
        if second_factor_of(person) is not None:  # set up elsewhere, or needed since today: come in again with a code
            auth.logout(request)
            return self.get_response(request)
        if request.path.startswith("/api/"):
            request.user = AnonymousUser()
            return self.get_response(request)
        if request.path in {reverse(name) for name in OPEN}:
            return self.get_response(request)
        there = f"{reverse('my-second-factor')}?{urlencode({'next': request.path})}"
        if wants_part(request):
            return HttpResponse(status=204, headers={"HX-Redirect": there})
        return redirect(there)
