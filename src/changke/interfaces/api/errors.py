"""Refusals as one JSON shape: `code` for programs, `message` for people, `field` and `remedy` where they are known."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext, gettext_noop
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from psycopg.errors import DeadlockDetected

from changke.foundation.errors import DomainError, Invalid, NotFound
from changke.interfaces.api.problems import Problem, problem_of


class ApiError(DomainError):
    """A refusal of the API itself, with what to do about it."""

    remedy: ClassVar[str] = ""


class WrongKey(ApiError):
    code, status = "wrong_key", 401
    message = "This key is not known, or it was revoked."
    remedy = gettext_noop("Make a new key in the settings and send it as: Authorization: Bearer ck_...")


class WrongAddress(ApiError):
    code, status = "wrong_address", 403
    message = "This key is not taken from the address %(address)s."
    remedy = gettext_noop("Add the address to the key in the settings, or call from one that is listed there.")


class TooManyRequests(ApiError):
    code, status = "too_many_requests", 429
    message = "This key asks more often than %(limit)s times a minute."
    remedy = gettext_noop("Wait for the seconds of the header Retry-After; send more items in one request.")


class NotLoggedIn(ApiError):
    code, status = "not_logged_in", 401
    message = "Who asks? There is neither a key nor a log-in."
    remedy = gettext_noop("Send the header: Authorization: Bearer ck_...")


class CsrfMissing(ApiError):
    code, status = "csrf_missing", 403
    message = "The page's token is missing, so this may come from a foreign page."
    remedy = gettext_noop("Send the header X-CSRFToken with the value of the cookie, or use a key.")


class BodyTooLarge(ApiError):
    code, status = "body_too_large", 413
    message = "The body is larger than %(megabytes)s MB."
    remedy = gettext_noop("Send fewer items at once; for a whole history load a file instead.")


class NotJson(ApiError):
    code, status = "not_json", 400
    message = "The body is not JSON."
    remedy = gettext_noop("Send JSON in UTF-8 with the header: Content-Type: application/json")


class NotAForm(ApiError):
    code, status = "not_a_form", 400
    message = "The body is not a form with files."
    remedy = gettext_noop("Send multipart/form-data with its boundary, as curl -F does.")


class Busy(ApiError):
    code, status = "busy", 503
    message = "Another request is writing the same at this moment."
    remedy = gettext_noop("Send it again in a second; what went in is known again.")


class MethodNotAllowed(ApiError):
    code, status = "method_not_allowed", 405
    message = "This address does not know the method %(method)s."
    remedy = gettext_noop("See /api/v1/docs for what it knows.")


class Malformed(Invalid):
    """Input of the wrong shape: the first problem in words, every one in the details."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems
        first = problems[0]
        super().__init__(field=first.field, reason=first.reason, **first.places)


def said(error: DomainError) -> dict[str, Any]:
    """The refusal in the language of the request."""
    told: dict[str, Any] = {"code": error.code, "message": message_of(error)}
    if isinstance(error, Invalid):
        told["field"] = error.field
    if remedy := getattr(error, "remedy", ""):
        told["remedy"] = gettext(remedy)
    if isinstance(error, Malformed) and len(error.problems) > 1:
        told["details"] = [{"field": one.field, "message": _filled(one.reason, one.places)} for one in error.problems]
    return told


def message_of(error: DomainError) -> str:
    if isinstance(error, Invalid):
        return f"{error.field}: {_filled(error.reason, error.reason_places)}"
    return _filled(error.message, error.places)


def answered(request: HttpRequest, api: NinjaAPI, error: DomainError) -> HttpResponse:
    response = api.create_response(request, said(error), status=error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def handle_errors(api: NinjaAPI) -> None:
    """Every refusal of every route leaves in the one shape; a surprise crashes where someone will see it."""

    def refused(request: HttpRequest, error: DomainError | type[DomainError]) -> HttpResponse:
        return answered(request, api, error if isinstance(error, DomainError) else error())

    def malformed(request: HttpRequest, error: ValidationError | type[ValidationError]) -> HttpResponse:
        problems = [problem_of(one, skip=_outer(one["loc"])) for one in getattr(error, "errors", [])]
        return answered(request, api, Malformed(problems))

    def unknown(request: HttpRequest, _: Http404 | type[Http404]) -> HttpResponse:
        return answered(request, api, NotFound())

    def nobody(request: HttpRequest, _: AuthenticationError | type[AuthenticationError]) -> HttpResponse:
        return answered(request, api, NotLoggedIn())

    def crossed(request: HttpRequest, error: OperationalError | type[OperationalError]) -> HttpResponse:
        if not isinstance(getattr(error, "__cause__", None), DeadlockDetected) or not isinstance(error, Exception):
            raise error
        response = answered(request, api, Busy())
        response.headers["Retry-After"] = "1"
        return response

    def unread(request: HttpRequest, _: HttpError | type[HttpError]) -> HttpResponse:
        return answered(request, api, NotJson())  # the only one that ninja raises beside those above

    def torn(request: HttpRequest, _: MultiPartParserError | type[MultiPartParserError]) -> HttpResponse:
        return answered(request, api, NotAForm())

    api.add_exception_handler(DomainError, refused)
    api.add_exception_handler(MultiPartParserError, torn)
    api.add_exception_handler(ValidationError, malformed)
    api.add_exception_handler(OperationalError, crossed)
    api.add_exception_handler(Http404, unknown)
    api.add_exception_handler(AuthenticationError, nobody)
    api.add_exception_handler(HttpError, unread)


def _outer(place: Sequence[Any]) -> int:
    """How many steps of the place only say where in the request it stood: `body`, then the name of the argument."""
    return 2 if place and place[0] == "body" else 1


def _filled(template: str, places: Mapping[str, Any]) -> str:
    return gettext(template) % places if places else gettext(template)
