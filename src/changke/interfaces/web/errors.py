"""403, 404, 500 and CSRF: what happened, what is safe, what to do. A fragment gets a fragment.

The pages of last resort must not need what may be broken: they read neither session nor database.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext

from changke.foundation.errors import DomainError
from changke.interfaces.web.answers import wants_part


@login_not_required
def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return say(
        request,
        403,
        title=gettext("This page is for somebody else"),
        text=gettext("Your role does not include it. The owner or the headquarters can change that."),
    )


@login_not_required
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return say(
        request,
        404,
        title=gettext("There is nothing here"),
        text=gettext("The address may be old, or what it showed is not yours to see. Nothing was changed."),
    )


@login_not_required
def went_wrong(request: HttpRequest) -> HttpResponse:
    return say(
        request,
        500,
        title=gettext("That did not work"),
        text=gettext("What was saved before is safe. Try again; if it happens again, run “changke doctor”."),
    )


@login_not_required
def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return say(
        request,
        403,
        title=gettext("The page was open for too long"),
        text=gettext("Nothing was saved. Go back, reload the page and send it again."),
    )


def refused(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """A refusal that no view turned into a message of its own."""
    words = gettext(refusal.message)
    text = words % refusal.places if refusal.places else words
    return say(request, refusal.status, title=gettext("This cannot be done"), text=text)


def say(request: HttpRequest, status: int, *, title: str, text: str) -> HttpResponse:
    context = {"title": title, "text": text, "code": status, "act": gettext("To the first page")}
    template = "web/_error.html" if wants_part(request) else "web/error.html"
    return HttpResponse(render_to_string(template, context), status=status)
