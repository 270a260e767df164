"""Making, changing and rotating addresses, and saying which store a place is."""

import base64
import datetime as dt
import ipaddress
import secrets
from collections.abc import Sequence

from django.db import transaction

from changke.foundation.access.models import Staff
from changke.foundation.audit import services as audit
from changke.foundation.audit.rules import By
from changke.foundation.errors import Invalid
from changke.foundation.organisation.models import Store
from changke.interfaces.webhooks.models import DeliveryState, WebhookAddress, WebhookDelivery, WebhookPlace
from changke.interfaces.webhooks.sealed import seal, unseal
from changke.interfaces.webhooks.sources import SOURCES

PATH_BYTES = 24
BOTH_SIGN = dt.timedelta(hours=24)
"""How long the old secret opens too after a rotation. Shopify signs with it for an hour."""
LONGEST_KEEP_DAYS = 365
ABOUT = "webhook secret"


@transaction.atomic
def make_address(
    *,
    source: str,
    name: str,
    secret: str = "",
    client_id: str = "",
    allowed_networks: Sequence[str] = (),
    keep_days: int = 30,
    created_by: Staff | None,
    by: By,
    now: dt.datetime,
) -> tuple[WebhookAddress, str]:
    """A new address, and its secret in clear: shown once where we made it."""
    if source not in SOURCES:
        raise Invalid(field="source", reason="choose one of %(choices)s", choices=", ".join(SOURCES))
    if not name.strip():
        raise Invalid(field="name", reason="must not be empty")
    plain = _secret(source, secret)
    if SOURCES[source].HAS_CLIENT_ID and not client_id.strip():
        raise Invalid(field="client_id", reason="must not be empty")
    address = WebhookAddress.objects.create(
        source=source,
        name=name.strip()[:120],
        path=secrets.token_urlsafe(PATH_BYTES),
        client_id=client_id.strip()[:200],
        secret=seal(plain.encode(), about=ABOUT),
        allowed_networks=_networks(allowed_networks),
        keep_days=_days(keep_days),
        created_by=created_by,
        created_at=now,
    )
    if WebhookAddress.objects.filter(source=source, receipts_as="", is_active=True).exclude(pk=address.pk).exists():
        # One that takes the place of a closed one goes on with its name: it knows the orders that came before.
        address.receipts_as = f"{source}-{address.pk}"
        address.save(update_fields=["receipts_as"])
    audit.record(
        by=by,
        action="webhook.added",
        subject=_subject(address),
        after={"source": source, "name": address.name},
        now=now,
    )
    return address, plain


@transaction.atomic
def change_address(
    address: WebhookAddress,
    *,
    name: str | None = None,
    allowed_networks: Sequence[str] | None = None,
    keep_days: int | None = None,
    is_active: bool | None = None,
    by: By,
    now: dt.datetime,
) -> WebhookAddress:
    before = _told(address)
    if name is not None:
        if not name.strip():
            raise Invalid(field="name", reason="must not be empty")
        address.name = name.strip()[:120]
    if allowed_networks is not None:
        address.allowed_networks = _networks(allowed_networks)
    if keep_days is not None:
        address.keep_days = _days(keep_days)
    if is_active is not None:
        address.is_active = is_active
    address.save()
    audit.record(
        by=by, action="webhook.changed", subject=_subject(address), before=before, after=_told(address), now=now
    )
    return address


@transaction.atomic
def rotate_secret(address: WebhookAddress, *, secret: str = "", by: By, now: dt.datetime) -> str:
    """A new secret; the old one opens for a day more, so that no delivery is lost meanwhile. The new one in clear."""
    plain = _secret(address.source, secret)
    address.previous_secret, address.previous_until = address.secret, now + BOTH_SIGN
    address.secret = seal(plain.encode(), about=ABOUT)
    address.save()
    audit.record(by=by, action="webhook.rotated", subject=_subject(address), now=now)
    return plain


def secrets_of(address: WebhookAddress, *, now: dt.datetime) -> list[str]:
    """Every secret that may sign now, in clear."""
    living = [address.secret]
    if address.previous_secret is not None and address.previous_until is not None and address.previous_until > now:
        living.append(address.previous_secret)
    return [unseal(bytes(one), about=ABOUT).decode() for one in living]


@transaction.atomic
def map_place(address: WebhookAddress, place: str, store: Store | None, *, by: By, now: dt.datetime) -> int:
    """This place is that store: what waited for the answer goes in now. How many deliveries that were."""
    known, _ = WebhookPlace.objects.select_related("store").get_or_create(
        address=address, place=place[:40], defaults={"seen_at": now}
    )
    before = {"store": known.store.code if known.store else None}
    known.store = store
    known.save(update_fields=["store"])
    audit.record(
        by=by,
        action="webhook.place",
        subject=_subject(address),
        before={**before, "place": place},
        after={"place": place, "store": store.code if store else None},
        now=now,
    )
    return wake(address, [f"place:{place}"]) if store else 0


def wake(address: WebhookAddress, waits_for: Sequence[str]) -> int:
    """What waited for these is looked at again."""
    waiting = WebhookDelivery.objects.filter(address=address, waits_for__in=waits_for, state=DeliveryState.WAITING)
    return waiting.update(state=DeliveryState.RECEIVED, waits_for="", reason="", detail="")


def queue_again(delivery: WebhookDelivery) -> bool:
    """Look at it again; False where its letter is gone. Facts that are in are known by their keys."""
    if delivery.letter is None:
        return False
    again = WebhookDelivery.objects.filter(pk=delivery.pk)
    return again.update(state=DeliveryState.RECEIVED, waits_for="", reason="", detail="") == 1


def _secret(source: str, given: str) -> str:
    if given.strip():
        return given.strip()[:400]
    if not SOURCES[source].MAKES_SECRET:
        raise Invalid(field="secret", reason="must not be empty")
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _networks(given: Sequence[str]) -> list[str]:
    try:
        return [str(ipaddress.ip_network(one.strip(), strict=False)) for one in given if one.strip()][:50]
    except ValueError:
        raise Invalid(field="allowed_networks", reason="write addresses or networks, such as 203.0.113.0/24") from None


def _days(days: int) -> int:
    if not 1 <= days <= LONGEST_KEEP_DAYS:
        raise Invalid(field="keep_days", reason="must lie between 1 and 365")
    return days


def _subject(address: WebhookAddress) -> str:
    return f"webhook:{address.pk}"


def _told(address: WebhookAddress) -> dict[str, object]:
    return {
        "name": address.name,
        "allowed_networks": list(address.allowed_networks),
        "keep_days": address.keep_days,
        "is_active": address.is_active,
    }
