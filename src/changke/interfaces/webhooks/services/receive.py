"""A delivery comes in: verified over its raw body, kept, answered. Nothing is read before the signature is right."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from django.db import connection

from changke.foundation.errors import DomainError
from changke.interfaces.webhooks.models import WebhookAddress
from changke.interfaces.webhooks.sealed import seal
from changke.interfaces.webhooks.services.addresses import secrets_of
from changke.interfaces.webhooks.sources import SOURCES
from changke.interfaces.webhooks.told import ClockOff, Source, Unreadable, Unsigned

LETTER = "webhook letter"
REMEMBERED_SECONDS = 5.0
"""How long a process goes by what it knows of an address: a revoked one closes within this time."""


class NotOurs(DomainError):
    code, status = "not_found", 404
    message = "There is no such address."


class NotFromThere(DomainError):
    code, status = "address_not_allowed", 403
    message = "Deliveries from this network are not accepted here."


class WrongSignature(DomainError):
    code, status = "wrong_signature", 401
    message = "The signature does not fit the body."


class WrongClock(DomainError):
    code, status = "clock_off", 401
    message = "The signed time is more than five minutes away from ours."


class NotALetter(DomainError):
    code, status = "unreadable", 400
    message = "This is not what the source sends: %(reason)s."


@dataclass(frozen=True)
class Known:
    """An address as a process remembers it for a moment."""

    address: WebhookAddress
    source: Source
    secrets: list[str]
    until: float


_known: dict[str, Known] = {}


def known(path: str, *, now: dt.datetime) -> Known:
    """The address, if there is one and it is open."""
    found = _known.get(path)
    if found is None or found.until < now.timestamp() or found.until > now.timestamp() + REMEMBERED_SECONDS:
        address = WebhookAddress.objects.filter(path=path, is_active=True).first()
        _known.pop(path, None)
        if address is None or address.source not in SOURCES:
            raise NotOurs
        until = now.timestamp() + REMEMBERED_SECONDS
        found = _known[path] = Known(address, SOURCES[address.source], secrets_of(address, now=now), until)
    return found


def forget_known() -> None:
    """After a change in this process it is read anew at once."""
    _known.clear()


def take(path: str, headers: Mapping[str, str], body: bytes, *, caller: str, now: dt.datetime) -> tuple[Known, bool]:
    """Keep the delivery; whether it is new. One that came before changes nothing and is answered alike."""
    address = known(path, now=now)
    if address.address.allowed_networks and not _allowed(caller, address.address.allowed_networks):
        refuse(address.address, "address_not_allowed", now=now)
        raise NotFromThere
    try:
        envelope = address.source.verify(
            headers, body, secrets=address.secrets, client_id=address.address.client_id, now=now.timestamp()
        )
    except Unsigned:
        refuse(address.address, "wrong_signature", now=now)
        raise WrongSignature from None
    except ClockOff:
        refuse(address.address, "clock_off", now=now)
        raise WrongClock from None
    except Unreadable as error:
        refuse(address.address, "unreadable", now=now)
        raise NotALetter(reason=error.reason) from None
    with connection.cursor() as sql:
        sql.execute(
            """
            INSERT INTO interfaces_webhookdelivery (address_id, delivery_id, topic, letter, state, reason, detail,
              subject, version, waits_for, number, customer_ids, created_count, received_at)
            VALUES (%s, %s, %s, %s, 'received', '', '', '', 0, '', '', '{}', 0, %s)
            ON CONFLICT (address_id, delivery_id) DO NOTHING
            """,
            [
                address.address.pk,
                _plain(envelope.delivery_id, 200),
                _plain(envelope.topic, 100),
                seal(body, about=LETTER),
                now,
            ],
        )
        return address, sql.rowcount == 1


def refuse(address: WebhookAddress, reason: str, *, now: dt.datetime) -> None:
    """Count a refusal of this day."""
    with connection.cursor() as sql:
        sql.execute(
            """
            INSERT INTO interfaces_webhookrefusal (address_id, day, reason, times) VALUES (%s, %s, %s, 1)
            ON CONFLICT (address_id, day, reason) DO UPDATE SET times = interfaces_webhookrefusal.times + 1
            """,
            [address.pk, now.date(), reason],
        )


def _allowed(caller: str, networks: list[str]) -> bool:
    try:
        where = ip_address(caller)
    except ValueError:
        return False
    return any(where in ip_network(one) for one in networks)


def _plain(text: str, longest: int) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")[:longest]
