"""POST /hooks/<unguessable>/: the one view that providers see. It answers within milliseconds; the work comes later."""

import datetime as dt

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import DomainError
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces import requests
from changke.interfaces.api.errors import MethodNotAllowed, said
from changke.interfaces.webhooks.services import receive

LARGEST_BODY_BYTES = 2 * 1024 * 1024
"""An order of a thousand lines is about one megabyte."""


class LetterTooLarge(DomainError):
    code, status = "body_too_large", 413
    message = "The body is larger than 2 MB."


@csrf_exempt
@login_not_required
def deliver(request: HttpRequest, path: str) -> HttpResponse:
    """Keep the delivery and say so, in the words that the provider wants to hear."""
    try:
        if request.method != "POST":
            raise MethodNotAllowed(method=request.method)
        now = dt.datetime.now(dt.UTC)
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY_BYTES:
            receive.refuse(receive.known(path, now=now).address, "body_too_large", now=now)
            raise LetterTooLarge
        headers = {name.lower(): value for name, value in request.headers.items()}
        # Whose delivery it is stands in the letter, which nobody has read yet: it is kept as the chain's.
        with seeing(CHAIN_WIDE):
            known, _ = receive.take(path, headers, request.body, caller=requests.address(request), now=now)
    except DomainError as refusal:
        return JsonResponse(said(refusal), status=refusal.status, json_dumps_params={"ensure_ascii": False})
    return JsonResponse(dict(known.source.ANSWER))


urlpatterns = [re_path(r"^(?P<path>[\w-]{1,64})/?$", deliver, name="webhook")]
