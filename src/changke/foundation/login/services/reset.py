"""A new password: one's own, or by a link that somebody with the right to it made. No e-mail is needed."""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import transaction

from changke.foundation.access.models import Staff
from changke.foundation.access.services.staff import check_new_password
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.login.models import ResetLink
from changke.foundation.login.rules import Patience
from changke.foundation.login.services import sign_ins
from changke.foundation.login.services.delays import Counter, claim, forgive

VALID = dt.timedelta(minutes=30)
OWN = Patience(free=5, longest=dt.timedelta(minutes=5), forgotten_after=dt.timedelta(days=1))


class LinkSpent(DomainError):
    code, status = "link_spent", 410
    message = "This link was used already, or is older than 30 minutes. Ask for a new one."


@dataclass(frozen=True)
class MadeLink:
    """The token is shown once, here, and kept nowhere."""

    link: ResetLink
    token: str


@transaction.atomic
def make_reset_link(person: Staff, *, by: By, now: dt.datetime) -> MadeLink:
    """A link for one person; the ones made for her before open nothing any more."""
    ResetLink.objects.filter(staff=person, used_at__isnull=True).update(used_at=now)
    token = secrets.token_urlsafe(32)
    link = ResetLink.objects.create(staff=person, digest=_digest(token), made_at=now, expires_at=now + VALID)
    record(by=by, action="staff.reset_link_made", subject=f"staff:{person.pk}", now=now)
    return MadeLink(link, token)


def person_of(token: str, *, now: dt.datetime) -> Staff:
    """For whom a living link was made. Looking at it does not use it up: chat programs open links to preview them."""
    link = ResetLink.objects.select_related("staff").filter(digest=_digest(token)).first()
    if link is None or link.used_at is not None or link.expires_at <= now or not link.staff.is_active:
        raise LinkSpent
    return link.staff


@transaction.atomic
def set_password_by_link(token: str, *, password: str, address: str, now: dt.datetime) -> Staff:
    """Set the new password and use up the link. Refused passwords leave the link as it was."""
    person = person_of(token, now=now)
    check_new_password(password, person)
    used = ResetLink.objects.filter(digest=_digest(token), used_at__isnull=True).update(used_at=now)
    if not used:  # of two who open it at once one is later
        raise LinkSpent
    _set(person, password)
    sign_ins.end_all(person, now=now)
    record(
        by=By("staff", person.pk, person.name, address),
        action="staff.password_set",
        subject=f"staff:{person.pk}",
        now=now,
    )
    return person


def change_own_password(person: Staff, *, present: str, new: str, by: By, now: dt.datetime) -> Staff:
    """Change it knowing the present one. Sessions opened with the old one end with it."""
    counter = Counter(f"own-password|{person.pk}", OWN)
    claim([counter], now=now)
    if not person.check_password(present):
        raise Invalid(field="present", reason="This is not your present password.")
    check_new_password(new, person)
    with transaction.atomic():
        _set(person, new)
        record(by=by, action="staff.password_set", subject=f"staff:{person.pk}", now=now)
    forgive([counter])
    return person


def _set(person: Staff, password: str) -> None:
    person.password = make_password(password)
    person.save(update_fields=["password"])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
