"""What every page needs around it: a language, a currency, a log-in, and headers that keep foreign code out."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import translation
from django.utils.cache import patch_vary_headers

from changke.foundation.access.models import Staff
from changke.foundation.access.queries import rights_of
from changke.foundation.database import rows_seen
from changke.foundation.errors import DomainError
from changke.foundation.organisation.models import Chain
from changke.interfaces import requests
from changke.interfaces.web import current, errors, formats
from changke.interfaces.web.policy import CONTENT_SECURITY_POLICY

API = "/api/"
Handler = Callable[[HttpRequest], HttpResponseBase]


class RequestIdMiddleware:
    """Every request has a number: in the answer's header, in the log, in the audit trail."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.request_id = requests.new_id()  # type: ignore[attr-defined]
        token = requests.number.set(requests.request_id(request))
        try:
            response = self.get_response(request)
            response.headers[requests.HEADER] = requests.request_id(request)
            return response
        finally:
            requests.number.reset(token)


class LanguageMiddleware:
    """The language is the person's choice, else the browser's cookie, else what the browser asks for."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = getattr(request.user, "language", "") or translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
            return response


class CurrencyMiddleware:
    """Pages print money in the chain's one currency without naming it each time."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        chain = Chain.objects.first()
        request.chain = chain  # type: ignore[attr-defined]
        token = formats.currency.set(chain.currency if chain else formats.DEFAULT_CURRENCY)
        try:
            return self.get_response(request)
        finally:
            formats.currency.reset(token)


class RowsMiddleware:
    """A request sees nobody's rows until it is known who asks; then, below every scope the pages apply, those of the
    stores where the person holds any role. Keys say who they are later, in the API's own door."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with rows_seen.seeing_nobody():
            if isinstance(request.user, Staff):
                rows_seen.see(rights_of(current.staff(request)).reach())
            response = self.get_response(request)
            if response.streaming and not response.is_async:  # type: ignore[attr-defined]
                response.streaming_content = rows_seen.carried(response.streaming_content)  # type: ignore[attr-defined]
            return response


class PagesNeedLogin(LoginRequiredMiddleware):
    """Every page but the front door needs a log-in; the API asks for its own keys.

    A fragment is answered with HX-Redirect, or the log-in form would appear in the middle of a page.
    """

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if request.path.startswith(API):
            return None
        refusal = super().process_view(request, view_func, view_args, view_kwargs)
        if refusal is not None and request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": resolve_url(settings.LOGIN_URL)})
        return refusal


class SecurityHeadersMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", "geolocation=(), microphone=(), payment=()")
        return response


class FragmentMiddleware:
    """One address has two answers; without this a browser going back would show the fragment it keeps for the page."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        return response


class RefusalMiddleware:
    """A refusal of the house that a view lets through becomes a page that says why."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if isinstance(exception, DomainError) and not request.path.startswith(API):
            return errors.refused(request, exception)
        return None
