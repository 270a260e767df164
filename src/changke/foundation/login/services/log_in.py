"""Log-in by name and password."""

import datetime as dt
from collections.abc import Collection

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, check_password

from changke.foundation.access.models import Staff
from changke.foundation.errors import DomainError
from changke.foundation.login.rules import Patience, counted_as
from changke.foundation.login.services.delays import Counter, claim, forgive, take_back

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
HERE = Patience(free=3, longest=5 * MINUTE, forgotten_after=DAY)
"""Of one name from one address: somebody who mistypes, or tries."""
ANYWHERE = Patience(free=10, longest=MINUTE, forgotten_after=DAY)
"""Of one name from everywhere: many machines guess one password. At most a minute, or they could keep its owner out."""
ANYBODY = Patience(free=20, longest=5 * MINUTE, forgotten_after=HOUR)
"""Of one address for all names: one machine tries one password on everybody. A whole store may share an address."""

NOBODY = UNUSABLE_PASSWORD_PREFIX
"""The password of a name that is not there. Django then hashes once all the same, so that the clock tells nothing."""


class WrongLogin(DomainError):
    code, status = "wrong_login", 401
    message = "Name or password is not right."


def log_in(*, username: str, password: str, address: str, known_here: Collection[int] = (), now: dt.datetime) -> Staff:
    """The person behind name and password.

    `known_here` are those who logged in from this very browser before: the tries of strangers elsewhere do not delay
    them.
    """
    name, place = username.strip()[:60], counted_as(address)
    person = Staff.objects.filter(username__iexact=name, is_active=True).first()
    here, anywhere = Counter(f"login|{name.lower()}|{place}", HERE), Counter(f"login|{name.lower()}", ANYWHERE)
    anybody = Counter(f"login||{place}", ANYBODY)
    is_known = person is not None and person.pk in known_here
    claim([here, anybody] if is_known else [here, anybody, anywhere], now=now)
    right = person.check_password(password) if person else check_password(password, NOBODY)
    if person is None or not right:
        raise WrongLogin
    forgive([here] if is_known else [here, anywhere])
    take_back([anybody], now=now)
    return person
