"""Keys of machines: issued, shown once, revoked."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from changke.foundation.access.models import ApiKey
from changke.foundation.access.services.grants import stand
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.organisation.models import Store

KEY_PREFIX = "ck_"


@dataclass(frozen=True)
class IssuedKey:
    """The secret is shown once, here, and kept nowhere."""

    key: ApiKey
    secret: str


@transaction.atomic
def issue_key(*, name: str, role: str, stores: Iterable[Store] = (), by: By = HOUSE, now: dt.datetime) -> IssuedKey:
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name,
        role=role,
        created_by_id=by.id if by.kind == "staff" else None,
        created_at=now,
        prefix=secret[:12],
        digest=digest(secret),
    )
    key.stores.set(stores := list(stores))
    stand(key, role, stores)
    given = {
        "name": name,
        "prefix": key.prefix,
        "role": role,
        "stores": sorted(store.code for store in key.stores.all()),
    }
    record(by=by, action="key.issued", subject=f"key:{key.pk}", after=given, now=now)
    return IssuedKey(key, secret)


@transaction.atomic
def revoke_key(key: ApiKey, *, by: By = HOUSE, now: dt.datetime) -> None:
    """It opens nothing any more. A second time changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now):
        about = {"name": key.name, "prefix": key.prefix}
        record(by=by, action="key.revoked", subject=f"key:{key.pk}", after=about, now=now)


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
