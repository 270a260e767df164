"""Who is logged in where, and who needs a second factor."""

import datetime as dt

from changke.foundation.access.capabilities import OF_THE_CHAIN
from changke.foundation.access.models import Staff
from changke.foundation.access.queries import allows, asking
from changke.foundation.login.models import Device, Pin, RecoveryCode, SecondFactor, SignIn
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.scope import Scope

LONGEST_IDLE = dt.timedelta(days=30)
"""As long as the cookie of a session lives."""


def sign_ins_of(person: Staff, *, now: dt.datetime) -> list[SignIn]:
    """Where somebody is logged in, the latest used first."""
    alive = SignIn.objects.filter(staff=person, ended_at=None, used_at__gt=now - LONGEST_IDLE)
    return list(alive.order_by("-used_at")[:50])


def needs_second_factor(person: Staff, chain: Chain | None) -> bool:
    """Whether a password alone does not do for this person: she may change what belongs to the whole chain."""
    if chain is None or not chain.second_factor_required:
        return False
    return any(allows(person, capability) for capability in OF_THE_CHAIN)


def second_factor_of(person: Staff) -> SecondFactor | None:
    """The confirmed second factor of somebody."""
    return SecondFactor.objects.filter(staff=person, confirmed_at__isnull=False).first()


def recovery_codes_left(person: Staff) -> int:
    return RecoveryCode.objects.filter(staff=person, used_at__isnull=True).count()


def devices_in(scope: Scope, *, now: dt.datetime) -> list[Device]:
    """The living devices of the stores, the newest first."""
    alive = Device.objects.for_scope(scope).filter(revoked_at=None, expires_at__gt=now)
    return list(alive.select_related("store").order_by("-bound_at"))


def faces_of(device: Device, chain: Chain | None, *, now: dt.datetime) -> list[tuple[Staff, bool]]:
    """Who works in the store of the device, and whether she has a PIN. Who needs a second factor is not among them: a
    PIN does not take its place."""
    people = [asking(one, now) for one in Staff.objects.filter(is_active=True, stores=device.store_id).order_by("name")]
    here = [one for one in people if not needs_second_factor(one, chain) and second_factor_of(one) is None]
    pins = set(Pin.objects.filter(staff__in=here).values_list("staff_id", flat=True))
    return [(one, one.pk in pins) for one in here]


def has_pin(person: Staff) -> bool:
    return Pin.objects.filter(staff=person).exists()
