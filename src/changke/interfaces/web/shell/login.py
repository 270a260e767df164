"""The front door. Wrong tries wait longer and longer; nobody is ever locked out."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from changke.foundation.access.models import Staff
from changke.foundation.access.queries import called
from changke.foundation.errors import DomainError
from changke.foundation.login.queries import has_pin, needs_second_factor, second_factor_of
from changke.foundation.login.services.log_in import WrongLogin, log_in
from changke.foundation.login.services.pins import trust_again
from changke.interfaces import requests, words
from changke.interfaces.web.login import bound
from changke.interfaces.web.login.code import ask_for_code
from changke.interfaces.web.login.enter import enter, leave, tell
from changke.interfaces.web.login.forms import LogInForm
from changke.interfaces.web.login.known import known_here, remember
from changke.interfaces.web.login.where import safe_next


@method_decorator([login_not_required, never_cache, sensitive_post_parameters("password")], name="dispatch")
class LogIn(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(safe_next(request))
        if not Staff.objects.exists():
            return redirect("setup")
        if bound.device(request) is not None and "password" not in request.GET:
            return redirect(f"{reverse('device')}?{urlencode({'next': safe_next(request)})}")
        return self.show(request, LogInForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = LogInForm(request.POST)
        if not form.is_valid():
            form.add_error(None, gettext("Name and password are both needed."))
            return self.show(request, form, status=422)
        try:
            person = log_in(
                username=form.cleaned_data["username"],
                password=form.cleaned_data["password"],
                address=requests.address(request),
                known_here=known_here(request),
                now=timezone.now(),
            )
        except DomainError as refusal:
            if isinstance(refusal, WrongLogin):  # a try that has to wait was none, and would only fill the trail
                tell("login.failed", request, called(form.cleaned_data["username"]))
            form.add_error(None, words.refusal(refusal))
            return self.show(request, form, status=refusal.status)
        if second_factor_of(person) is not None:
            return ask_for_code(request, person)
        enter(request, person)
        trust_again(person)
        response = redirect(self.after(request, person))
        remember(request, response, person.pk)
        return response

    def after(self, request: HttpRequest, person: Staff) -> str:
        """Who has no PIN yet makes one where she will need it: on a device of the store."""
        there = safe_next(request)
        if bound.device(request) is None or has_pin(person) or needs_second_factor(person, request.chain):  # type: ignore[attr-defined]
            return there
        return f"{reverse('my-pin')}?{urlencode({'next': there})}"

    def show(self, request: HttpRequest, form: LogInForm, status: int = 200) -> HttpResponse:
        context: dict[str, Any] = {"form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
        return render(request, "shell/login.html", context, status=status)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    leave(request)
    return redirect(reverse("login"))
