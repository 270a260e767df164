"""Who asks: a machine with a key, or a person whose browser is logged in."""

import datetime as dt
from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest
from ninja.security import HttpBearer, SessionAuth
from ninja.utils import check_csrf

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import ApiKey, Staff
from changke.foundation.access.queries import asking, require, rights_of, scope_of
from changke.foundation.access.services import key_of
from changke.foundation.access.services.grants import Giver
from changke.foundation.access.services.keys import is_taken_from
from changke.foundation.access.services.rate import take
from changke.foundation.audit.rules import By
from changke.foundation.database import rows_seen
from changke.foundation.organisation.scope import Scope
from changke.interfaces import requests
from changke.interfaces.api.errors import CsrfMissing, TooManyRequests, WrongAddress, WrongKey


@dataclass(frozen=True)
class Actor:
    """Grants decide what somebody may do; staff or key is what facts name. One of the two is there."""

    staff: Staff | None = None
    key: ApiKey | None = None

    @property
    def who(self) -> Staff | ApiKey:
        known = self.key or self.staff
        assert known is not None
        return known

    def scope_for(self, capability: Capability) -> Scope:
        """Where the caller may do it. Who may not do it anywhere is refused."""
        require(self.who, capability)
        return scope_of(self.who, capability)

    @property
    def name(self) -> str:
        """Whose idempotency keys these are, and who stands in an event's data."""
        return f"key:{self.key.prefix}" if self.key else f"staff:{self.staff.pk if self.staff else 0}"


def actor(request: HttpRequest) -> Actor:
    """Who asks, as the authentication of the route found out."""
    return cast(Actor, request.auth)  # type: ignore[attr-defined]  # set by ninja


def by(request: HttpRequest) -> By:
    """Who does it, for the audit trail: a key under its own name and prefix, or the person."""
    asking = actor(request)
    where = {"address": requests.address(request), "request_id": requests.request_id(request)}
    if asking.key:
        return By("key", asking.key.pk, f"{asking.key.name} ({asking.key.prefix})", **where)
    assert asking.staff is not None, "an actor is a person or a key"
    return By("staff", asking.staff.pk, asking.staff.name, **where)


def giver(request: HttpRequest) -> Giver:
    """Who grants roles, for the services of access."""
    return Giver(actor(request).who, by(request))


def _seen(asking: Actor) -> Actor:
    """From here on the database shows the rows of the caller's stores."""
    rows_seen.see(rights_of(asking.who).reach())
    return asking


class Key(HttpBearer):
    """`Authorization: Bearer ck_live_...`; keys are made in the settings and shown once."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        now = dt.datetime.now(dt.UTC)
        key = key_of(token.strip(), now=now)
        if key is None:
            raise WrongKey
        if not is_taken_from(key, requests.address(request)):
            raise WrongAddress(address=requests.address(request))
        rate = take(key, now=now)
        request.rate = rate  # type: ignore[attr-defined]  # its headers are written by limits.rated
        if not rate.is_taken:
            raise TooManyRequests(limit=rate.limit)
        return _seen(Actor(key=asking(key, now)))


class LoggedIn(SessionAuth):
    """The cookie of somebody who is logged in; writing needs the header `X-CSRFToken` as every page sends it."""

    def __call__(self, request: HttpRequest) -> Actor | None:
        person = request.user
        if not isinstance(person, Staff):
            return None
        if check_csrf(request) is not None:
            raise CsrfMissing
        return _seen(Actor(staff=asking(person, dt.datetime.now(dt.UTC))))
