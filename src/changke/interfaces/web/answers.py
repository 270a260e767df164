"""One view, two answers: the whole page, or only the part that htmx asked for; and short messages at the bottom."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def answer(
    request: HttpRequest,
    page: str,
    context: dict[str, Any] | None = None,
    *,
    part: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the template `page`, or `part` when a fragment was asked for.

    `page` includes `part` itself, inside the element that is the htmx target. Messages waiting for the user travel with
    a fragment, so that a toast appears whichever way the answer goes.
    """
    context = context or {}
    if part is None or not wants_part(request):
        html = render_to_string(page, context, request)
    else:
        html = render_to_string(part, context, request) + render_to_string("web/_toasts_oob.html", {}, request)
    return HttpResponse(html, status=status)


def wants_part(request: HttpRequest) -> bool:
    """htmx asks for a fragment, except when it restores a page from history or swaps the whole body."""
    return (
        request.headers.get("HX-Request") == "true"
        and request.headers.get("HX-History-Restore-Request") != "true"
        and request.headers.get("HX-Request-Type") != "full"
    )


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Leave for another page: a redirect for a browser, HX-Redirect for htmx, which would swap in what it lands on."""
    if wants_part(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponse(status=303, headers={"Location": url})


def toast(request: HttpRequest, text: str, *, undo_url: str = "", bad: bool = False) -> None:
    """Say it once at the bottom of the next answer. With `undo_url` it carries a button that POSTs there."""
    messages.add_message(request, messages.ERROR if bad else messages.SUCCESS, text, extra_tags=undo_url)
