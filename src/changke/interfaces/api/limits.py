"""What one request may weigh, and how many there may be."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from ninja import NinjaAPI

from changke.foundation.access.services.rate import Rate
from changke.interfaces.api.errors import BodyTooLarge, answered

LARGEST_BODY_MB = 2
"""A thousand receipts of five lines are about one megabyte."""
TAKING_FILES = frozenset({"imports"})
"""Routes that take files, by their names."""
FORM = "multipart/form-data"


def weighed(api: NinjaAPI) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Refuse a large body by its declared length, before a byte of it is read. (Without a length none is read.)

    Files go to disk as they arrive, so the route that takes them is held to the limit of uploads.
    """

    def decorate(run: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(run)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            most = settings.UPLOAD_LIMIT_BYTES // 1024**2 if _takes_files(request) else LARGEST_BODY_MB
            if int(request.META.get("CONTENT_LENGTH") or 0) > most * 1024**2:
                return answered(request, api, BodyTooLarge(megabytes=most))
            return run(request, *args, **kwargs)

        return limited

    return decorate


def _takes_files(request: HttpRequest) -> bool:
    found = request.resolver_match
    is_form = request.method == "POST" and request.content_type == FORM
    return is_form and found is not None and found.url_name in TAKING_FILES


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
