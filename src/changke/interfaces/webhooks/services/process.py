"""Kept deliveries become facts, each in a transaction of its own and safe to repeat."""

import datetime as dt
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.db import connection, transaction

from changke.facts.catalog.models import Item
from changke.facts.customers.models import Customer
from changke.facts.customers.services.meet import (
    IdentifierTaken,
    Meeting,
    Reference,
    add_identifiers,
    find,
    find_or_create,
    reference,
)
from changke.facts.purchases.services.correct import withdraw_receipt
from changke.facts.purchases.services.record import ReceiptNumberTaken
from changke.foundation.errors import DomainError
from changke.foundation.intake import Outcome, Taken, Waits
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.periods import business_date
from changke.interfaces.api.errors import said
from changke.interfaces.api.v1.facts import take_in
from changke.interfaces.webhooks.models import DeliveryState, PrivacyRequest, WebhookDelivery, WebhookPlace
from changke.interfaces.webhooks.sealed import CannotOpen, unseal
from changke.interfaces.webhooks.services.addresses import wake
from changke.interfaces.webhooks.services.receive import LETTER
from changke.interfaces.webhooks.sources import SOURCES
from changke.interfaces.webhooks.told import Person, Told, Unreadable

AT_ONCE = 200
"""Deliveries of one turn."""

log = logging.getLogger(__name__)

Changes = dict[str, Any]


def process_some(now: dt.datetime) -> bool:
    """Turn kept deliveries into facts, the oldest first; whether there may be more."""
    ids = list(
        WebhookDelivery.objects.filter(state=DeliveryState.RECEIVED)
        .order_by("pk")
        .values_list("pk", flat=True)[:AT_ONCE]
    )
    for pk in ids:
        process(pk, now=now)
    return len(ids) == AT_ONCE


def process(pk: int, *, now: dt.datetime) -> None:
    """One delivery. A surprise is said in the log and on the page, and does not hold the others up."""
    try:
        with transaction.atomic():
            delivery = (
                WebhookDelivery.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("address")
                .filter(pk=pk, state=DeliveryState.RECEIVED)
                .first()
            )
            if delivery is not None:
                _set(delivery, _effects(delivery, now=now), now=now)
    except Exception as error:
        log.exception("delivery %s cannot be processed", pk)
        with transaction.atomic():
            broken = WebhookDelivery.objects.filter(pk=pk, state=DeliveryState.RECEIVED)
            broken.update(state=DeliveryState.FAILED, reason="crashed", detail=type(error).__name__, processed_at=now)


def _effects(delivery: WebhookDelivery, *, now: dt.datetime) -> Changes:
    """What the delivery does, and how it stands afterwards."""
    chain = the_chain()
    try:
        letter = unseal(bytes(delivery.letter or b""), about=LETTER)
        told = SOURCES[delivery.address.source].read(delivery.topic, letter, currency=chain.currency)
    except CannotOpen:
        return {"state": DeliveryState.FAILED, "reason": "cannot_open"}
    except Unreadable as error:
        return {"state": DeliveryState.FAILED, "reason": "unreadable", "detail": error.reason[:400]}
    about: Changes = {"subject": told.subject, "version": told.version, "number": told.number}
    if told.wish is not None:
        _wish(delivery, told, now=now)
        return about | {"state": DeliveryState.DONE}
    if told.nothing:
        return about | {"state": DeliveryState.IGNORED, "reason": told.nothing}
    if told.subject and _is_old(delivery, told):
        return about | {"state": DeliveryState.IGNORED, "reason": "older"}
    return about | _record(delivery, told, chain, now=now)


def _is_old(delivery: WebhookDelivery, told: Told) -> bool:
    """Whether a later version of the same subject is in. Two of one subject are looked at one after the other."""
    with connection.cursor() as sql:
        sql.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"webhook:{delivery.address_id}:{told.subject}"]
        )
    later = WebhookDelivery.objects.filter(
        address=delivery.address, subject=told.subject, version__gt=told.version, state=DeliveryState.DONE
    )
    return later.exists()


def _record(delivery: WebhookDelivery, told: Told, chain: Chain, *, now: dt.datetime) -> Changes:
    store, number, waits = _whereabouts(delivery, told, now=now)
    if waits:
        return {"state": DeliveryState.WAITING, "reason": waits.partition(":")[0], "waits_for": waits}
    source = delivery.address.source
    facts = [dict(one) for one in told.facts]
    if store is not None:
        ours = {"store": store.code, "source": source}
        facts += [{**told.purchase, **ours}] if told.purchase else []
        facts += [{**one, **ours, "original_number": one["original_number"] or number} for one in told.returns]
    if store is not None:
        _know_items(facts)
    # First: who is known under another name of hers must not be written down a second time by her receipt.
    people = [_met(person, source, store, chain, now=now) for person in told.people]
    outcomes = take_in(facts, scope=CHAIN_WIDE, chain=chain, now=now)
    if told.purchase and outcomes and isinstance(outcomes[0], ReceiptNumberTaken) and store is not None:
        # A later version of the order says something else: the earlier receipt is withdrawn, not edited.
        withdraw_receipt(source=source, store=store, number=number, title=f"{source} {number}", now=now)
        outcomes = take_in(facts, scope=CHAIN_WIDE, chain=chain, now=now)
    if told.order and told.purchase:
        wake(delivery.address, f"order:{told.order}")
    return {
        **_summed(outcomes),
        "number": number,
        "store": store,
        "customer_ids": sorted({one for one in people if one is not None}),
        "created_count": sum(isinstance(one, Taken) and one.is_new for one in outcomes),
    }


def _whereabouts(delivery: WebhookDelivery, told: Told, *, now: dt.datetime) -> tuple[Store | None, str, str]:
    """The store, the receipt's number, and what is still waited for before both are known."""
    if told.place:
        known, _ = WebhookPlace.objects.select_related("store").get_or_create(
            address=delivery.address, place=told.place, defaults={"seen_at": now, "name": told.place_name}
        )
        return known.store, told.number, "" if known.store else f"place:{told.place}"
    if told.order:
        before = WebhookDelivery.objects.select_related("store").filter(
            address=delivery.address, subject=f"order:{told.order}", state=DeliveryState.DONE, store__isnull=False
        )
        first = before.order_by("pk").first()
        return (first.store, first.number, "") if first else (None, "", f"order:{told.order}")
    return None, told.number, ""


def _know_items(facts: list[dict[str, Any]]) -> None:
    """Codes that our catalogue does not know are left out: the description says what it was."""
    lines = [line for fact in facts for line in fact.get("lines", ())]
    codes = {line["item"] for line in lines if "item" in line}
    known = set(Item.objects.filter(code__in=codes).values_list("code", flat=True)) if codes else set()
    for line in lines:
        if line.get("item") not in known:
            line.pop("item", None)


def _met(person: Person, source: str, store: Store | None, chain: Chain, *, now: dt.datetime) -> int | None:
    """Whom it is about, under every name that the source has for her; a name that is another's stays there."""
    names = [_reference(one) for one in person.names]
    zone = store.time_zone if store else chain.time_zone
    meeting = Meeting(names[0], store, business_date(now, zone), person.name, source)
    known = find(names, scope=CHAIN_WIDE)
    her = next((known[name] for name in names if name in known), None)
    if her is None:
        her = find_or_create([meeting], scope=CHAIN_WIDE, now=now).get(names[0])
    if her is None:
        return None
    customer = Customer.objects.get(pk=her)
    for name in names:
        if name not in known:
            with suppress(IdentifierTaken):
                add_identifiers(customer, [name])
    return her


def _reference(named: Mapping[str, str]) -> Reference:
    if "external_id" in named:
        return reference("external", named["external_id"], named["source"])
    kind, value = next(iter(named.items()))
    return reference(kind, value)


def _wish(delivery: WebhookDelivery, told: Told, *, now: dt.datetime) -> None:
    assert told.wish is not None
    who = [reference("external", told.wish.external_id, delivery.address.source)] if told.wish.external_id else []
    PrivacyRequest.objects.create(
        address=delivery.address,
        kind=told.wish.kind,
        external_id=told.wish.external_id,
        customer_ids=sorted(set(find(who, scope=CHAIN_WIDE).values())),
        received_at=now,
    )


def _summed(outcomes: list[Outcome]) -> Changes:
    """Done, unless something was refused: then the first refusal says why."""
    refused = [one for one in outcomes if isinstance(one, DomainError)]
    if refused:
        told = said(refused[0])
        where = f"{len(refused)}/{len(outcomes)}: " if len(outcomes) > 1 else ""
        return {"state": DeliveryState.FAILED, "reason": told["code"], "detail": (where + told["message"])[:400]}
    waits = any(isinstance(one, Waits) for one in outcomes)
    return {"state": DeliveryState.DONE, "reason": "return_waits" if waits else ""}


def _set(delivery: WebhookDelivery, changes: Changes, *, now: dt.datetime) -> None:
    for name, value in {"reason": "", "detail": "", "waits_for": "", **changes, "processed_at": now}.items():
        setattr(delivery, name, value)
    delivery.save()
