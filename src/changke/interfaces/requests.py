"""What is known of a request whoever makes it: its number, and the address it came from."""

import contextvars
import logging
import secrets

from django.http import HttpRequest

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
    """Who called, as the server saw it."""
    return str(request.META.get("REMOTE_ADDR") or "")


class RequestNumber(logging.Filter):
    """Puts the number into every log line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = number.get()
        return True
