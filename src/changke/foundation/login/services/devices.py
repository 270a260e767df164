"""Devices of a store: bound by a manager, good for thirty days, taken back with one tap."""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from django.db import transaction

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.access.queries import scope_of
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.login.models import Device, SignIn
from changke.foundation.organisation.models import Store

BOUND_FOR = dt.timedelta(days=30)
NOTED_EVERY = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class BoundDevice:
    """The token goes into the cookie of the device and is kept nowhere."""

    device: Device
    token: str


@transaction.atomic
def bind(store: Store, *, name: str, person: Staff, by: By, now: dt.datetime) -> BoundDevice:
    """Make the device at hand one of the store's."""
    if not scope_of(person, Capability.DEVICES_BIND).includes(store.pk):
        raise NotFound
    if not name.strip():
        raise Invalid(field="name", reason="is missing")
    secret = secrets.token_urlsafe(32)
    device = Device.objects.create(
        store=store, name=name.strip()[:60], digest=_digest(secret), bound_by=person, bound_at=now,
        expires_at=now + BOUND_FOR,
    )  # fmt: skip
    record(by=by, action="device.bound", subject=f"store:{store.pk}", after={"device": device.name}, now=now)
    return BoundDevice(device, f"{device.pk}.{secret}")


def device_of(token: str, *, now: dt.datetime) -> Device | None:
    """The living device of a cookie."""
    number, _, secret = token.partition(".")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    device = Device.objects.select_related("store").filter(pk=int(number)).first()
    if device is None or not secrets.compare_digest(device.digest, _digest(secret)) or not device.is_valid(now):
        return None
    if device.used_at is None or now - device.used_at >= NOTED_EVERY:
        Device.objects.filter(pk=device.pk).update(used_at=now)
    return device


@transaction.atomic
def revoke(device: Device, *, by: By, now: dt.datetime) -> None:
    """It is lost, or somebody else's now: whoever is logged in on it is out at the next request."""
    if Device.objects.filter(pk=device.pk, revoked_at=None).update(revoked_at=now):
        record(
            by=by, action="device.revoked", subject=f"store:{device.store_id}", before={"device": device.name}, now=now
        )
    SignIn.objects.filter(device=device, ended_at=None).update(ended_at=now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
