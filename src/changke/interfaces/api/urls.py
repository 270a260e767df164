"""Addresses of the machines' door. What is not there, or not so, is refused in the one shape too."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.csrf import csrf_exempt

from changke.foundation.errors import NotFound
from changke.interfaces.api.errors import MethodNotAllowed, answered
from changke.interfaces.api.v1.service import api

View = Callable[..., HttpResponseBase]


def in_one_shape(view: View) -> View:
    """The view, with 405 as JSON."""

    @wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if response.status_code == 405:
            told = answered(request, api, MethodNotAllowed(method=request.method))
            told.headers["Allow"] = response.headers.get("Allow", "")
            return told
        return response

    return run


@csrf_exempt
def nowhere(request: HttpRequest, rest: str = "") -> HttpResponse:
    """An address that no route knows."""
    return answered(request, api, NotFound())


routes = api.urls
for pattern in routes[0]:
    if pattern.callback is not None:
        pattern.callback = in_one_shape(pattern.callback)

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", routes),
    path("<path:rest>", nowhere),
]
