"""What is known of a request whoever makes it: its number, and the address it came from."""

import contextvars
import logging
import secrets
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

from changke.foundation.login.rules import client_of

HEADER = "X-Request-ID"

number: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")
"""The number of the request this thread works for; in every log line."""


def new_id() -> str:
    """Ours and never the caller's: a number that somebody else chooses could be another request's."""
    return secrets.token_hex(8)


def request_id(request: HttpRequest) -> str:
    """Under which the answer's header, the log and the audit trail know this request."""
    return getattr(request, "request_id", "")


def address(request: HttpRequest) -> str:
    """Who called: the peer or, behind a proxy named in `TRUSTED_PROXIES`, whom that proxy speaks for."""
    peer = str(request.META.get("REMOTE_ADDR") or "")
    return client_of(peer, request.META.get("HTTP_X_FORWARDED_FOR", ""), settings.TRUSTED_PROXIES)


def from_this_machine(request: HttpRequest) -> bool:
    """Whether somebody sits at the machine itself. A proxy that we do not know speaks for anybody."""
    caller = address(request)
    spoken_for = bool(request.META.get("HTTP_X_FORWARDED_FOR")) and caller == request.META.get("REMOTE_ADDR")
    return not spoken_for and ip_address(caller or "0.0.0.0").is_loopback


class RequestNumber(logging.Filter):
    """Puts the number into every log line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = number.get()
        return True
