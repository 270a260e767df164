"""One's own password."""

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from changke.foundation.errors import DomainError
from changke.foundation.login.services import sign_ins
from changke.foundation.login.services.reset import change_own_password
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.login.enter import row_of
from changke.interfaces.web.login.forms import OwnPasswordForm


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("present", "password", "again")
def change(request: HttpRequest) -> HttpResponse:
    form = OwnPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            person = change_own_password(
                current.staff(request),
                present=given["present"],
                new=given["password"],
                by=current.by(request),
                now=timezone.now(),
            )
        except DomainError as refused:
            form.refuse(refused)
        else:
            # The session hangs on the password: this one goes on under a new number, all others are out.
            update_session_auth_hash(request, person)
            here = row_of(request)
            sign_ins.end_all(person, but=here.pk if here else None, now=timezone.now())
            toast(request, gettext("Your new password holds. Whoever was logged in with the old one is out."))
            return go(request, reverse("me"))
    return answer(request, "login/password.html", {"nav": "me", "form": form}, status=422 if form.errors else 200)
