"""Six digits by which somebody is known on a device of her store. Without the device they are worth nothing."""

import datetime as dt

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.login.models import Device, Pin
from changke.foundation.login.rules import Patience, is_easy_pin
from changke.foundation.login.services.delays import Counter, claim, failures_of, forgive

PATIENCE = Patience(free=3, longest=dt.timedelta(minutes=5), forgotten_after=dt.timedelta(days=1))
MOST_WRONG = 10
"""Of a million possibilities a thief tries ten, then the password is asked."""
OWN = Patience(free=5, longest=dt.timedelta(minutes=5), forgotten_after=dt.timedelta(days=1))


class WrongPin(DomainError):
    code, status = "wrong_pin", 401
    message = "The PIN is not right."


class PasswordNeeded(DomainError):
    code, status = "password_needed", 401
    message = "Too many wrong PINs. Log in with your password; then the PIN counts again."


def set_pin(person: Staff, *, pin: str, password: str, by: By, now: dt.datetime) -> None:
    """A PIN of one's own, knowing the password: somebody who finds a device unlocked must not set one."""
    counter = Counter(f"own-password|{person.pk}", OWN)
    claim([counter], now=now)
    if not person.check_password(password):
        raise Invalid(field="present", reason="This is not your present password.")
    forgive([counter])
    if len(pin) != 6 or not (pin.isascii() and pin.isdecimal()):
        raise Invalid(field="pin", reason="Six digits.")
    if is_easy_pin(pin):
        raise Invalid(field="pin", reason="Anybody would try this one first. Take another.")
    with transaction.atomic():
        Pin.objects.update_or_create(staff=person, defaults={"pin": make_password(pin), "set_at": now})
        record(by=by, action="staff.pin_set", subject=f"staff:{person.pk}", now=now)


def check_pin(person: Staff, *, pin: str, device: Device, now: dt.datetime) -> None:
    """Whether she is who she says, on this device. Wrong ones delay the next; ten of them ask for the password."""
    counter = _counter(person)
    if failures_of(counter, now=now) >= MOST_WRONG:
        raise PasswordNeeded
    claim(
        [counter, Counter(f"pin-device|{device.pk}", Patience(20, PATIENCE.longest, PATIENCE.forgotten_after))], now=now
    )
    kept = Pin.objects.filter(staff=person).first()
    if not check_password(pin, kept.pin if kept else "!") or kept is None:
        raise WrongPin
    forgive([counter, Counter(f"pin-device|{device.pk}", PATIENCE)])


def trust_again(person: Staff) -> None:
    """She gave her password: wrong PINs of before are forgotten."""
    forgive([_counter(person)])


def _counter(person: Staff) -> Counter:
    return Counter(f"pin|{person.pk}", PATIENCE)
