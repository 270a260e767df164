"""Being logged in: begun, used, ended, also from elsewhere."""

import datetime as dt

from changke.foundation.access.models import Staff
from changke.foundation.login.models import Device, SignIn

LONGEST_BREAK = dt.timedelta(minutes=15)
"""On a device that several share; then a PIN is asked."""
NOTED_EVERY = dt.timedelta(minutes=1)


def begin(
    person: Staff, *, ip: str, browser: str, second_factor: bool, device: Device | None = None, now: dt.datetime
) -> SignIn:
    return SignIn.objects.create(
        staff=person,
        started_at=now,
        used_at=now,
        ip=ip[:60],
        browser=browser[:200],
        second_factor=second_factor,
        device=device,
    )


def note_use(sign_in: SignIn, *, ip: str, now: dt.datetime) -> None:
    """That it is used, and from where; once a minute is enough."""
    if now - sign_in.used_at >= NOTED_EVERY or sign_in.ip != ip[:60]:
        SignIn.objects.filter(pk=sign_in.pk).update(used_at=now, ip=ip[:60])


def end(person: Staff, sign_in_id: int, *, now: dt.datetime) -> bool:
    """End one of one's own; whether there was one to end."""
    return bool(SignIn.objects.filter(pk=sign_in_id, staff=person, ended_at=None).update(ended_at=now))


def end_all(person: Staff, *, but: int | None = None, now: dt.datetime) -> int:
    """End every one, or every other one; how many."""
    alive = SignIn.objects.filter(staff=person, ended_at=None)
    return (alive if but is None else alive.exclude(pk=but)).update(ended_at=now)


def is_over(sign_in: SignIn, *, now: dt.datetime) -> bool:
    """Whether a bound device has been left alone for too long, or is bound no more."""
    device = sign_in.device
    return device is not None and (not device.is_valid(now) or now - sign_in.used_at > LONGEST_BREAK)
