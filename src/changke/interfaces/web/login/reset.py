"""A new password by link: made by somebody with the right to it, opened by whom it is for."""

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.errors import DomainError
from changke.foundation.login.services.reset import LinkSpent, make_reset_link, person_of, set_password_by_link
from changke.interfaces import requests, words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.login.forms import NewPasswordForm
from changke.interfaces.web.settings.staff import may_change


@require_POST
@never_cache
@needs(Capability.STAFF_MANAGE)
def make(request: HttpRequest, staff_id: int) -> HttpResponse:
    """Show a link and its picture, once."""
    person = get_object_or_404(Staff, pk=staff_id, is_active=True)
    may_change(request, person)
    made = make_reset_link(person, by=current.by(request), now=timezone.now())
    url = request.build_absolute_uri(reverse("reset", args=[made.token]))
    context = {"nav": "settings", "person": person, "url": url, "until": made.link.expires_at}
    return answer(request, "login/reset_made.html", context)


@login_not_required
@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("password", "again")
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """The form behind the link. A link that opens nothing says so and does not say why."""
    now = timezone.now()
    try:
        person = person_of(token, now=now)
    except LinkSpent as spent:
        return answer(request, "login/reset.html", {"spent": words.refusal(spent)}, status=spent.status)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            set_password_by_link(
                token, password=form.cleaned_data["password"], address=requests.address(request), now=now
            )
        except LinkSpent as spent:
            return answer(request, "login/reset.html", {"spent": words.refusal(spent)}, status=spent.status)
        except DomainError as refused:
            form.refuse(refused)
        else:
            logout(request)  # whoever's session this browser had
            toast(request, gettext("Your new password holds. Log in with it."))
            return redirect("login")
    return answer(request, "login/reset.html", {"person": person, "form": form}, status=422 if form.errors else 200)
