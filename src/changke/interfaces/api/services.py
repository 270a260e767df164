"""The same write twice is one write: answers kept under the caller's `Idempotency-Key`."""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_noop
from pydantic import BaseModel

from changke.foundation.errors import Invalid
from changke.interfaces.api.actors import actor
from changke.interfaces.api.errors import ApiError
from changke.interfaces.api.models import KeptAnswer

HEADER = "Idempotency-Key"
LONGEST_KEY = 120
KEPT_DAYS = 7
"""Longer than any machine tries again; a till that was off for a holiday sends its own ids besides."""

PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": LONGEST_KEY},
    "description": f"Any text of your own. The same key with the same body gets the same answer for {KEPT_DAYS} days, "
    "with another body 409 `key_reused`.",
}
"""The header as the OpenAPI document tells it."""


class KeyReused(ApiError):
    code, status = "key_reused", 409
    message = "The Idempotency-Key was used before for another request."
    remedy = gettext_noop("Make a new key for each write; send the same one only to repeat the very same write.")


def once(view: Callable[..., Any]) -> Callable[..., Any]:
    """A write that may be repeated under the same `Idempotency-Key`. Refusals are not kept: mended, it may succeed."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get(HEADER, "").strip()
        if not key:
            return view(request, *args, **kwargs)
        if len(key) > LONGEST_KEY or not key.isprintable():
            raise Invalid(field=HEADER, reason="at most %(longest)s printable characters", longest=LONGEST_KEY)
        whose, what = actor(request).name, _digest(request)
        with transaction.atomic():
            # A repetition that comes while the first is at work waits here, then finds its answer.
            with connection.cursor() as sql:
                sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{whose} {key}"])
            if kept := KeptAnswer.objects.filter(actor=whose, key=key).first():
                if kept.request != what:
                    raise KeyReused
                return kept.answer
            result = view(request, *args, **kwargs)
            answer = result.model_dump(mode="json") if isinstance(result, BaseModel) else result
            KeptAnswer.objects.create(
                actor=whose, key=key, request=what, answer=answer, kept_at=dt.datetime.now(dt.UTC)
            )
        return result

    return answered


def forget_answers(*, now: dt.datetime) -> int:
    """Delete answers that nobody will ask for again; how many."""
    return KeptAnswer.objects.filter(kept_at__lt=now - dt.timedelta(days=KEPT_DAYS)).delete()[0]


def forget_answers_about(customer_ids: Sequence[int]) -> int:
    """Delete kept answers that show one of these customers; how many."""
    about = KeptAnswer.objects.filter(answer__id__in=list(customer_ids), answer__has_key="known_on")
    return about.delete()[0]


def _digest(request: HttpRequest) -> str:
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.body).hexdigest()
