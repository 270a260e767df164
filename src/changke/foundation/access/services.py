"""Letting people and machines in."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from changke.foundation.access.models import ApiKey, LoginAttempt, Role, Staff
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.models import Store

FREE_TRIES = 3
LONGEST_DELAY = dt.timedelta(minutes=5)
KEY_PREFIX = "ck_"


class UsernameTaken(DomainError):
    code, status = "username_taken", 409
    message = "There is already somebody with the log-in name %(username)s."


class WrongLogin(DomainError):
    code, status = "wrong_login", 401
    message = "Name or password is not right."


class TooManyTries(DomainError):
    code, status = "too_many_tries", 429
    message = "Too many tries. Try again in %(seconds)s seconds."


class LastOwner(DomainError):
    code, status = "last_owner", 409
    message = "The last owner cannot be changed: somebody has to hold the keys."


def add_staff(
    *,
    username: str,
    name: str,
    role: str = Role.STAFF,
    password: str | None = None,
    stores: Iterable[Store] = (),
    code: str = "",
    phone: str = "",
    is_active: bool = True,
    now: dt.datetime,
) -> Staff:
    """Somebody who works here. Without a password nobody can log in under the name."""
    if role not in Role.values:
        raise Invalid(field="role", reason="choose one of %(choices)s", choices=", ".join(Role.values))
    person = Staff(
        username=username.strip(),
        name=name.strip(),
        role=role,
        code=code,
        phone=phone,
        is_active=is_active,
        created_at=now,
    )
    if password is not None:
        _check_password(password, person)
    person.password = make_password(password)
    try:
        with transaction.atomic():
            person.save()
            person.stores.set(stores)
    except IntegrityError:
        raise UsernameTaken(username=username) from None
    return person


@transaction.atomic
def change_staff(
    person: Staff,
    *,
    name: str | None = None,
    role: str | None = None,
    stores: Iterable[Store] | None = None,
    is_active: bool | None = None,
    password: str | None = None,
) -> Staff:
    losing_keys = (role is not None and role != Role.OWNER) or is_active is False
    if person.role == Role.OWNER and losing_keys:
        others = Staff.objects.select_for_update().filter(role=Role.OWNER, is_active=True).exclude(pk=person.pk)
        if not others.exists():
            raise LastOwner
    if role is not None and role not in Role.values:
        raise Invalid(field="role", reason="choose one of %(choices)s", choices=", ".join(Role.values))
    person.name = person.name if name is None else name.strip()
    person.role = person.role if role is None else role
    person.is_active = person.is_active if is_active is None else is_active
    if password:
        _check_password(password, person)
        person.password = make_password(password)
    person.save()
    if stores is not None:
        person.stores.set(stores)
    return person


def _check_password(password: str, person: Staff) -> None:
    """Refuse what anybody would try first; the rules stand in the settings."""
    try:
        validate_password(password, person)
    except ValidationError as refusal:
        raise Invalid(field="password", reason=refusal.messages[0]) from None


def log_in(*, username: str, password: str, address: str, now: dt.datetime) -> Staff:
    """The person behind name and password. Failures delay the next try (1, 2, 4 ... seconds), they lock nobody out."""
    key = f"{username.strip().lower()[:60]}|{address[:60]}"
    attempt = LoginAttempt.objects.filter(key=key).first()
    if attempt and attempt.not_before > now:
        raise TooManyTries(seconds=max(1, round((attempt.not_before - now).total_seconds())))
    person = Staff.objects.filter(username__iexact=username.strip(), is_active=True).first()
    # An unknown name costs as much time as a wrong password, so that names cannot be guessed by the clock.
    right = check_password(password, person.password if person else make_password("nobody"))
    if person is None or not right:
        failures = (attempt.failures if attempt else 0) + 1
        delay = (
            min(LONGEST_DELAY, dt.timedelta(seconds=2 ** max(failures - FREE_TRIES, 0)))
            if failures >= FREE_TRIES
            else dt.timedelta(0)
        )
        LoginAttempt.objects.update_or_create(key=key, defaults={"failures": failures, "not_before": now + delay})
        raise WrongLogin
    if attempt:
        attempt.delete()
    return person


def choose_language(person: Staff, language: str) -> None:
    Staff.objects.filter(pk=person.pk).update(language=language)


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
    key.stores.set(stores)
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
