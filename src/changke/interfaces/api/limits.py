"""What one request may weigh."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja import NinjaAPI

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
