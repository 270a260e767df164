"""Who is logged in where, and who needs a second factor."""

import datetime as dt

from changke.foundation.access.capabilities import OF_THE_CHAIN
from changke.foundation.access.models import Staff
from changke.foundation.access.queries import allows
from changke.foundation.login.models import RecoveryCode, SecondFactor, SignIn
from changke.foundation.organisation.models import Chain

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
