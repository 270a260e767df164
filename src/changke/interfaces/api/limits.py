"""What one request may weigh, and how many there may be."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from ninja import NinjaAPI

from changke.foundation.access.services.rate import Rate
from changke.interfaces.api.errors import BodyTooLarge, answered

LARGEST_BODY_MB = 2
"""A thousand receipts of five lines are about one megabyte."""


def weighed(api: NinjaAPI) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Refuse a large body by its declared length, before a byte of it is read. (Without a length none is read.)"""

    def decorate(run: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(run)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY_MB * 1024 * 1024:
                return answered(request, api, BodyTooLarge(megabytes=LARGEST_BODY_MB))
            return run(request, *args, **kwargs)

        return limited

    return decorate


def rated(run: Callable[..., Any]) -> Callable[..., Any]:
    """Tell each answer to a key how much it may still ask (draft-ietf-httpapi-ratelimit-headers, in its widespread
    form), and a refused one when to come again."""

    @wraps(run)
    def told(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response: HttpResponseBase = run(request, *args, **kwargs)
        rate: Rate | None = getattr(request, "rate", None)
        if rate is not None:
            response.headers["RateLimit-Limit"] = str(rate.limit)
            response.headers["RateLimit-Remaining"] = str(rate.remaining)
            response.headers["RateLimit-Reset"] = str(rate.reset_seconds)
            response.headers["RateLimit-Policy"] = f"{rate.limit};w=60"
            if not rate.is_taken:
                response.headers["Retry-After"] = str(rate.retry_seconds)
        return response

    return told
