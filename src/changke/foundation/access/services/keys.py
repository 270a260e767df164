"""Keys of machines: issued, shown once, rotated, revoked."""

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from django.db import transaction
from django.db.models import Q

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import ApiKey, Grant
from changke.foundation.access.services.grants import stand
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.models import Store

SECRET_PREFIX = "ck_live_"
"""By which scanners of leaked secrets, and people, know what they found."""
ID_LETTERS, ID_LENGTH = "abcdefghijklmnopqrstuvwxyz0123456789", 12
FORM = re.compile(r"ck_live_(?P<id>[a-z0-9]{12})_[A-Za-z0-9_-]{43}")
PER_MINUTE = 6_000
"""Until somebody says another number: a runaway till is stopped, a busy web shop is not."""
MOST_PER_MINUTE = 1_000_000
MOST_NETWORKS = 20
LONGEST_OVERLAP = dt.timedelta(days=30)


class RotationUnderWay(DomainError):
    code, status = "rotation_under_way", 409
    message = "This key has a successor already. At most two are valid at a time: revoke one of them first."


class KeyRevoked(DomainError):
    code, status = "key_revoked", 409
    message = "This key opens nothing any more; make a new one."


@dataclass(frozen=True)
class IssuedKey:
    """The secret is shown once, here, and kept nowhere."""

    key: ApiKey
    secret: str


@transaction.atomic
def issue_key(
    *,
    name: str,
    role: str,
    stores: Iterable[Store] = (),
    scopes: Iterable[str] = (),
    networks: Iterable[str] = (),
    per_minute: int = PER_MINUTE,
    by: By = HOUSE,
    now: dt.datetime,
) -> IssuedKey:
    issued = _new(
        name=name, role=role, scopes=known_scopes(scopes), networks=known_networks(networks),
        per_minute=known_rate(per_minute), by=by, now=now,
    )  # fmt: skip
    issued.key.stores.set(stores := list(stores))
    stand(issued.key, role, stores)
    record(by=by, action="key.issued", subject=f"key:{issued.key.pk}", after=said(issued.key), now=now)
    return issued


@transaction.atomic
def rotate_key(key: ApiKey, *, overlap: dt.timedelta, by: By = HOUSE, now: dt.datetime) -> IssuedKey:
    """A successor that may do the same; the old one opens for the overlap longer, so that machines change in peace."""
    old = ApiKey.objects.select_for_update().get(pk=key.pk)
    if not old.is_valid(now):
        raise KeyRevoked
    if old.successors.filter(Q(revoked_at__isnull=True) | Q(revoked_at__gt=now)).exists():
        raise RotationUnderWay
    if not dt.timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid(field="overlap", reason="from none to %(days)s days", days=LONGEST_OVERLAP.days)
    issued = _new(
        name=old.name, role=old.role, scopes=old.scopes, networks=old.networks, per_minute=old.per_minute,
        by=by, now=now, replaces=old,
    )  # fmt: skip
    issued.key.stores.set(old.stores.all())
    for grant in Grant.objects.filter(key=old):
        grant.pk, grant.key = None, issued.key
        grant.save()
    ends = now + overlap
    if old.revoked_at is None or old.revoked_at > ends:
        ApiKey.objects.filter(pk=old.pk).update(revoked_at=ends)
    record(
        by=by,
        action="key.rotated",
        subject=f"key:{old.pk}",
        after={"successor": issued.key.pk, "ends": ends},
        now=now,
    )
    return issued


@transaction.atomic
def revoke_key(key: ApiKey, *, by: By = HOUSE, now: dt.datetime) -> None:
    """It opens nothing from the next request on, also where it was to open a while longer."""
    living = ApiKey.objects.filter(Q(revoked_at__isnull=True) | Q(revoked_at__gt=now), pk=key.pk)
    if living.update(revoked_at=now):
        about = {"name": key.name, "prefix": key.prefix}
        record(by=by, action="key.revoked", subject=f"key:{key.pk}", after=about, now=now)


def key_of(secret: str, *, now: dt.datetime) -> ApiKey | None:
    """The living key of the secret, or None. Its last use is noted once a minute, not at each request."""
    new = FORM.fullmatch(secret)
    key = ApiKey.objects.filter(prefix=new["id"] if new else secret[:12]).first()
    if key is None or not secrets.compare_digest(key.digest, digest(secret)) or not key.is_valid(now):
        return None
    if key.last_used_at is None or now - key.last_used_at > dt.timedelta(minutes=1):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def is_taken_from(key: ApiKey, address: str) -> bool:
    """Whether the key may be used from the address."""
    if not key.networks:
        return True
    try:
        here = ip_address(address)
    except ValueError:
        return False
    return any(here in ip_network(network) for network in key.networks)


def digest(secret: str) -> str:
    """SHA-256 suffices: the secret is 256 random bits, not a password somebody thought of."""
    return hashlib.sha256(secret.encode()).hexdigest()


def known_scopes(scopes: Iterable[str]) -> list[str]:
    wanted = set(scopes)
    if unknown := wanted - {one.value for one in Capability}:
        raise Invalid(field="scopes", reason="there is no %(unknown)s", unknown=", ".join(sorted(unknown)))
    return [one.value for one in Capability if one.value in wanted]


def known_networks(networks: Iterable[str]) -> list[str]:
    """Each as a network: `10.0.0.5` is `10.0.0.5/32`."""
    found = []
    for text in networks:
        try:
            found.append(str(ip_network(text.strip(), strict=False)))
        except ValueError:
            raise Invalid(
                field="networks", reason="%(text)s is no address or network; write one like 203.0.113.7 or 10.0.0.0/24",
                text=text[:50],
            ) from None  # fmt: skip
    if len(found) > MOST_NETWORKS:
        raise Invalid(field="networks", reason="at most %(most)s of them", most=MOST_NETWORKS)
    return sorted(set(found))


def known_rate(per_minute: int) -> int:
    if not 1 <= per_minute <= MOST_PER_MINUTE:
        raise Invalid(field="per_minute", reason="from 1 to %(most)s", most=MOST_PER_MINUTE)
    return per_minute


def said(key: ApiKey) -> dict[str, object]:
    """A key as the audit trail keeps it."""
    return {
        "name": key.name, "prefix": key.prefix, "role": key.role,
        "stores": sorted(store.code for store in key.stores.all()), "scopes": key.scopes, "networks": key.networks,
        "per_minute": key.per_minute,
    }  # fmt: skip


def _new(
    *,
    name: str,
    role: str,
    scopes: Sequence[str],
    networks: Sequence[str],
    per_minute: int,
    by: By,
    now: dt.datetime,
    replaces: ApiKey | None = None,
) -> IssuedKey:
    public = "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))
    secret = f"{SECRET_PREFIX}{public}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        name=name, role=role, scopes=list(scopes), networks=list(networks), per_minute=per_minute, replaces=replaces,
        created_by_id=by.id if by.kind == "staff" else None, created_at=now, prefix=public, digest=digest(secret),
    )  # fmt: skip
    return IssuedKey(key, secret)
