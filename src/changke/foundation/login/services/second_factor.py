"""Six digits from a phone beside the password (TOTP, RFC 6238), and recovery codes for who lost the phone."""

import datetime as dt
import hashlib
import secrets

import pyotp
from django.db import transaction

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.access.queries import require
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid, NotAllowed
from changke.foundation.login.models import RecoveryCode, SecondFactor, SignIn
from changke.foundation.login.rules import Patience
from changke.foundation.login.sealing import CannotUnseal, seal, unseal
from changke.foundation.login.services import sign_ins
from changke.foundation.login.services.delays import Counter, claim, forgive

STEP_SECONDS = 30
STEPS_OFF = 1
"""A code of the half minute before or after is taken too: clocks of phones differ, and typing takes time."""
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
RECOVERY_LETTERS = 16
"""80 random bits: a digest without salt is enough, as with the keys of machines."""
PATIENCE = Patience(free=5, longest=dt.timedelta(minutes=5), forgotten_after=dt.timedelta(days=1))


class WrongCode(DomainError):
    code, status = "wrong_code", 401
    message = "The code is not right, or was used already. Wait for the next one; the clock of the phone must be right."


class AlreadyConfirmed(DomainError):
    code, status = "second_factor_there", 409
    message = "There is a second factor already."


@transaction.atomic
def begin(person: Staff, *, now: dt.datetime) -> str:
    """The secret to be scanned. Asked again before it is confirmed, it is the same: the page may be loaded twice."""
    factor, _ = SecondFactor.objects.select_for_update().get_or_create(
        staff=person, defaults={"secret": _sealed(person, pyotp.random_base32()), "begun_at": now}
    )
    if factor.confirmed_at is not None:
        raise AlreadyConfirmed
    try:
        return _secret(factor)
    except CannotUnseal:
        factor.secret = _sealed(person, pyotp.random_base32())
        factor.save(update_fields=["secret"])
        return _secret(factor)


@transaction.atomic
def confirm(person: Staff, *, code: str, sign_in: SignIn | None, by: By, now: dt.datetime) -> list[str]:
    """From now on a code is asked; the recovery codes, shown this once. Sessions without a code end."""
    factor = SecondFactor.objects.select_for_update().filter(staff=person).first()
    if factor is None:
        raise WrongCode
    if factor.confirmed_at is not None:
        raise AlreadyConfirmed
    step = _step_of(factor, code, now=now)
    if step is None:
        raise Invalid(field="code", reason=WrongCode.message)
    factor.confirmed_at, factor.used_step = now, step
    factor.save(update_fields=["confirmed_at", "used_step"])
    sign_ins.end_all(person, but=sign_in.pk if sign_in else None, now=now)
    if sign_in:
        SignIn.objects.filter(pk=sign_in.pk).update(second_factor=True)
    record(by=by, action="staff.second_factor_set", subject=f"staff:{person.pk}", now=now)
    return _new_codes(person)


def check(person: Staff, *, code: str, now: dt.datetime) -> None:
    """Take a code of the phone or a recovery code, each once; anything else is refused and delays the next try."""
    counter = Counter(f"second-factor|{person.pk}", PATIENCE)
    claim([counter], now=now)
    plain = "".join(code.split()).replace("-", "").upper()
    right = _take_code(person, plain, now=now) if plain.isdecimal() else _take_recovery(person, plain, now=now)
    if not right:
        raise WrongCode
    forgive([counter])


def renew_recovery_codes(person: Staff, *, code: str, by: By, now: dt.datetime) -> list[str]:
    """Ten new ones; the old ones open nothing any more."""
    check(person, code=code, now=now)  # outside of the transaction: a wrong try must stay counted
    with transaction.atomic():
        record(by=by, action="staff.recovery_codes_renewed", subject=f"staff:{person.pk}", now=now)
        return _new_codes(person)


def reset(person: Staff, *, by_person: Staff, by: By, now: dt.datetime) -> None:
    """Somebody lost phone and recovery codes: another owner takes the second factor away, her next log-in sets a new
    one."""
    require(by_person, Capability.ROLES_MANAGE)
    if by_person.pk == person.pk:
        raise NotAllowed
    forget(person, by=by, now=now)


@transaction.atomic
def forget(person: Staff, *, by: By, now: dt.datetime) -> None:
    """Take the second factor away and end every session."""
    SecondFactor.objects.filter(staff=person).delete()
    RecoveryCode.objects.filter(staff=person).delete()
    sign_ins.end_all(person, now=now)
    record(by=by, action="staff.second_factor_reset", subject=f"staff:{person.pk}", now=now)


def _take_code(person: Staff, code: str, *, now: dt.datetime) -> bool:
    factor = SecondFactor.objects.filter(staff=person, confirmed_at__isnull=False).first()
    step = _step_of(factor, code, now=now) if factor else None
    if step is None:
        return False
    # The condition is the lock: of two requests with the same code one finds the step used.
    return bool(SecondFactor.objects.filter(staff=person, used_step__lt=step).update(used_step=step))


def _take_recovery(person: Staff, code: str, *, now: dt.datetime) -> bool:
    known = RecoveryCode.objects.filter(staff=person, digest=_digest(code), used_at__isnull=True)
    return bool(known.update(used_at=now))


def _step_of(factor: SecondFactor, code: str, *, now: dt.datetime) -> int | None:
    """The half minute that the code belongs to, if it is a right one."""
    try:
        totp = pyotp.TOTP(_secret(factor))
    except CannotUnseal:
        return None
    present = int(now.timestamp()) // STEP_SECONDS
    plain = "".join(code.split())
    for step in range(present - STEPS_OFF, present + STEPS_OFF + 1):
        if secrets.compare_digest(totp.generate_otp(step).encode(), plain.encode()):
            return step
    return None


def _new_codes(person: Staff) -> list[str]:
    codes = ["".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_LETTERS)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(staff=person).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(staff=person, digest=_digest(code)) for code in codes)
    return ["-".join(code[place : place + 4] for place in range(0, RECOVERY_LETTERS, 4)) for code in codes]


def _sealed(person: Staff, secret: str) -> str:
    return seal(secret, belongs_to=f"second-factor:{person.pk}")


def _secret(factor: SecondFactor) -> str:
    return unseal(factor.secret, belongs_to=f"second-factor:{factor.staff_id}")


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
