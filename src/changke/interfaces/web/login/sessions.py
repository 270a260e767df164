"""My devices: where I am logged in, and ending it from here."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from changke.foundation.login.queries import sign_ins_of
from changke.foundation.login.services import sign_ins
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.login.browsers import browser_words
from changke.interfaces.web.login.enter import row_of


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    here = row_of(request)
    rows = [
        (one, browser_words(one.browser), here is not None and one.pk == here.pk)
        for one in sign_ins_of(current.staff(request), now=timezone.now())
    ]
    return answer(request, "login/sessions.html", {"nav": "me", "rows": rows, "others": len(rows) - 1})


@require_POST
def end(request: HttpRequest, sign_in_id: int) -> HttpResponse:
    if not sign_ins.end(current.staff(request), sign_in_id, now=timezone.now()):
        raise Http404
    toast(request, gettext("Ended. That device has to log in again."))
    return go(request, reverse("my-sessions"))


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    here = row_of(request)
    count = sign_ins.end_all(current.staff(request), but=here.pk if here else None, now=timezone.now())
    toast(request, ngettext("%(count)s device ended", "%(count)s devices ended", count) % {"count": count})
    return go(request, reverse("my-sessions"))
