"""The same write twice is one write: answers kept under the caller's `Idempotency-Key`."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponseBase, RawPostDataException
from django.utils.translation import gettext_noop
from pydantic import BaseModel

from changke.foundation.errors import Invalid
from changke.foundation.login.sealing import CannotUnseal, seal, unseal
from changke.interfaces.api.actors import actor
from changke.interfaces.api.errors import ApiError
from changke.interfaces.api.models import KeptAnswer

HEADER = "Idempotency-Key"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
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
"""The header as the OpenAPI document tells it of every write."""


class KeyReused(ApiError):
    code, status = "key_reused", 409
    message = "The Idempotency-Key was used before for another request."
    remedy = gettext_noop("Make a new key for each write; send the same one only to repeat the very same write.")


def once(view: Callable[..., Any]) -> Callable[..., Any]:
    """Every write may be repeated under the same `Idempotency-Key`; the API puts this around each of its routes.

    Refusals are not kept: mended, the same write may succeed. What is kept is sealed: an answer may hold a phone or the
    secret of a new key.
    """

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get(HEADER, "").strip()
        if not key or request.method not in WRITES:
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
                return _again(kept)
            result = view(request, *args, **kwargs)
            _keep(result, whose=whose, key=key, what=what, shows=kwargs.get("customer_id"))
        return result

    return answered


def _keep(result: Any, *, whose: str, key: str, what: str, shows: int | None) -> None:
    status, body = result if isinstance(result, tuple) else (None, result)
    if isinstance(result, HttpResponseBase):
        raise TypeError("a write answers with data, so that its answer can be kept and given again")
    plain = _plain(body)
    told = json.dumps(plain, ensure_ascii=False, cls=DjangoJSONEncoder)
    if isinstance(plain, dict) and "known_on" in plain:  # a customer, written down or changed
        shows = plain["id"]
    KeptAnswer.objects.create(
        actor=whose,
        key=key,
        request=what,
        status=status,
        shows=shows,
        answer=seal(told, belongs_to=f"{whose} {key}"),
        kept_at=dt.datetime.now(dt.UTC),
    )


def read_answer(kept: KeptAnswer) -> Any:
    """What was answered. Raises CannotUnseal where it was kept under another signing key."""
    return json.loads(unseal(kept.answer, belongs_to=f"{kept.actor} {kept.key}"))


def _again(kept: KeptAnswer) -> Any:
    try:
        body = read_answer(kept)
    except CannotUnseal:  # doing it once more would be worse than not answering
        raise KeyReused from None
    return body if kept.status is None else (kept.status, body)


def _plain(body: Any) -> Any:
    if isinstance(body, BaseModel):
        return body.model_dump(mode="json")
    return [_plain(one) for one in body] if isinstance(body, list) else body


def forget_answers(*, now: dt.datetime) -> int:
    """Delete answers that nobody will ask for again; how many."""
    return KeptAnswer.objects.filter(kept_at__lt=now - dt.timedelta(days=KEPT_DAYS)).delete()[0]


def forget_answers_about(customer_ids: Sequence[int]) -> int:
    """Delete kept answers that show one of these customers; how many."""
    return KeptAnswer.objects.filter(shows__in=list(customer_ids)).delete()[0]


def _digest(request: HttpRequest) -> str:
    digest = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    try:
        digest.update(request.body)
    except RawPostDataException:  # a form with files, which was read as it came
        for name, value in sorted((name, value) for name, values in request.POST.lists() for value in values):
            digest.update(f"{name!r} {value!r}\n".encode())
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                digest.update(f"{name!r} {file.name!r} {file.size}\n".encode())
                for piece in file.chunks():
                    digest.update(piece)
    return digest.hexdigest()
