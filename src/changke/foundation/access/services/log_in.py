"""Log-in by name and password. Failures delay the next try; nobody is ever locked out."""

import datetime as dt

from django.contrib.auth.hashers import check_password, make_password

from changke.foundation.access.models import LoginAttempt, Staff
from changke.foundation.errors import DomainError

FREE_TRIES = 3
LONGEST_DELAY = dt.timedelta(minutes=5)


class WrongLogin(DomainError):
    code, status = "wrong_login", 401
    message = "Name or password is not right."


class TooManyTries(DomainError):
    code, status = "too_many_tries", 429
    message = "Too many tries. Try again in %(seconds)s seconds."


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
