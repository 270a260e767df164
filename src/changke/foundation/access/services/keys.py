"""Keys of machines: issued, shown once, revoked."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from changke.foundation.access.models import ApiKey, Staff
from changke.foundation.access.services.grants import stand
from changke.foundation.organisation.models import Store

KEY_PREFIX = "ck_"


@dataclass(frozen=True)
class IssuedKey:
    """The secret is shown once, here, and kept nowhere."""

    key: ApiKey
    secret: str


@transaction.atomic
def issue_key(*, name: str, role: str, stores: Iterable[Store] = (), by: Staff | None, now: dt.datetime) -> IssuedKey:
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name, role=role, created_by=by, created_at=now, prefix=secret[:12], digest=digest(secret)
    )
    key.stores.set(stores := list(stores))
    stand(key, role, stores)
    return IssuedKey(key, secret)


def revoke_key(key: ApiKey, *, now: dt.datetime) -> None:
    ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now)


def key_of(secret: str, *, now: dt.datetime) -> ApiKey | None:
    """The living key of the secret, or None. Its last use is noted once a minute, not at each request."""
    key = ApiKey.objects.filter(prefix=secret[:12]).first()
    if key is None or not secrets.compare_digest(key.digest, digest(secret)) or not key.is_valid(now):
        return None
    if key.last_used_at is None or now - key.last_used_at > dt.timedelta(minutes=1):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def digest(secret: str) -> str:
    """SHA-256 suffices: the secret is 256 random bits, not a password somebody thought of."""
    return hashlib.sha256(secret.encode()).hexdigest()
