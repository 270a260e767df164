"""Browsers that know their people: a signed cookie of who logged in here before.

It opens nothing. It only spares somebody the delays that strangers cause who try her name from elsewhere.
"""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "known"
SALT = "changke.known-browser"
AGE_SECONDS = 180 * 24 * 3600
MOST = 20


def known_here(request: HttpRequest) -> list[int]:
    """Ids of the people who logged in from this browser before."""
    try:
        kept = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=AGE_SECONDS)
    except signing.BadSignature:
        return []
    return [one for one in kept if isinstance(one, int)] if isinstance(kept, list) else []


def remember(request: HttpRequest, response: HttpResponse, staff_id: int) -> None:
    people = [staff_id, *(one for one in known_here(request) if one != staff_id)][:MOST]
    response.set_cookie(
        COOKIE,
        signing.dumps(people, salt=SALT),
        max_age=AGE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
