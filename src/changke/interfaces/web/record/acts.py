"""What the forms do that is more than one fact: each safe to repeat by its key, each in one transaction."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from changke.facts.customers.models import Customer
from changke.facts.customers.services.change import change
from changke.facts.customers.services.notes import write_note
from changke.facts.customers.services.register import register
from changke.facts.events import services as events
from changke.facts.fields.services import set_values
from changke.facts.referrals.services import name_referrer
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.organisation.models import Store


@transaction.atomic
def new_customer(
    *,
    name: str,
    phone: str,
    source: str,
    store: Store,
    adviser: Staff | None,
    profile: Mapping[str, object],
    own: Mapping[str, object],
    share: bool,
    referrer: Customer | None,
    by: Staff,
    who: By,
    key: str,
    now: dt.datetime,
) -> Customer:
    """Register a person once, however often the form is sent. With `share`, also under a phone that finds another.
    `own`: what stands in the chain's own fields; all of it fits, or nobody is written down."""
    if (known := events.recorded(key)) is not None and known.customer is not None:
        return known.customer
    customer = register(
        name=name, phone=phone, source=source, home_store=store, adviser=adviser, profile=profile, share=share, by=who,
        now=now,
    )  # fmt: skip
    if referrer is not None:
        name_referrer(customer.pk, referrer.pk, by=who, now=now)
    if own:
        set_values(customer.pk, own, by=who, now=now)
    _tell("customer.registered", customer, store, by, {"source": source}, key=key, now=now)
    return customer


@transaction.atomic
def new_note(
    customer: Customer,
    *,
    text: str,
    photo: "UploadedFile[Any] | None",
    store: Store,
    by: Staff,
    key: str,
    now: dt.datetime,
) -> None:
    """Write a note once. Its text stays out of the event: what a person wrote can be erased, a fact cannot."""
    if events.recorded(key) is None:
        note = write_note(customer, text=text, photo=photo, by=by, now=now)
        _tell("note.written", customer, store, by, {"note": note.pk, "photo": bool(note.photo)}, key=key, now=now)


@transaction.atomic
def new_allergies(
    customer: Customer, *, text: str, store: Store, by: Staff, who: By, key: str, now: dt.datetime
) -> None:
    """Keep what she must not come into contact with. The event says that it changed, not what it says."""
    if events.recorded(key) is None:
        change(customer.pk, {"allergies": text}, by=who, now=now)
        _tell("customer.changed", customer, store, by, {"fields": ["allergies"]}, key=key, now=now)


def _tell(
    kind: str, customer: Customer, store: Store, by: Staff, data: Mapping[str, object], *, key: str, now: dt.datetime
) -> None:
    events.record(
        kind,
        customer=customer,
        store=store,
        staff=by,
        data={**data, "by": by.username},
        source_key=key,
        happened_at=now,
        now=now,
    )
