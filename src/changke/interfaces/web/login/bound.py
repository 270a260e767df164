"""The cookie of a bound device: signed by us, and a secret whose digest stands in the row."""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from changke.foundation.login.models import Device
from changke.foundation.login.services import devices

COOKIE, SALT = "device", "changke.device"


def device(request: HttpRequest) -> Device | None:
    """The bound device that asks, if it is one; looked up once per request."""
    if not hasattr(request, "_device"):
        try:
            token = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
        except signing.BadSignature:
            token = None
        found = devices.device_of(token, now=timezone.now()) if isinstance(token, str) else None
        request._device = found  # type: ignore[attr-defined]
    known: Device | None = request._device  # type: ignore[attr-defined]
    return known


def keep(response: HttpResponse, token: str) -> None:
    response.set_cookie(
        COOKIE,
        signing.dumps(token, salt=SALT),
        max_age=int(devices.BOUND_FOR.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
