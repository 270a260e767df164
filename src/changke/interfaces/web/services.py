"""A form that is sent twice, by a double click or from two tabs, has one effect."""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from changke.interfaces.web.answers import go, toast
from changke.interfaces.web.models import SentForm

FIELD = "once"
"""Name of the hidden field; `{% once %}` in a form writes it."""
LONGEST = 60
KEPT = dt.timedelta(days=2)


def sent_once(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For forms whose effect is not known again by itself: a new key, a granted role.

    The first sending that is not refused uses the number up; a second waits for it, then says that it was sent already.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        number = request.POST.get(FIELD, "")[:LONGEST] if request.method == "POST" else ""
        if not number:
            return view(request, *args, **kwargs)
        mine = f"{request.user.pk}:{number}"
        with transaction.atomic():
            with connection.cursor() as sql:
                sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [mine])
            if SentForm.objects.filter(number=mine).exists():
                toast(request, gettext("This was sent already; nothing was done twice."))
                return go(request, request.get_full_path())
            response = view(request, *args, **kwargs)
            if response.status_code < 400:
                SentForm.objects.create(number=mine, sent_at=timezone.now())
        return response

    return guarded


def forget_sent(*, now: dt.datetime) -> int:
    """Delete numbers that nobody will send again; how many."""
    return SentForm.objects.filter(sent_at__lt=now - KEPT).delete()[0]
