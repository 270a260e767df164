"""A delivery on its way: what its letter says, and what came of it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from changke.facts.customers.services.meet import Reference
from changke.foundation.intake import Outcome
from changke.foundation.organisation.models import Chain, Store
from changke.interfaces.webhooks.models import DeliveryState, WebhookDelivery
from changke.interfaces.webhooks.sealed import CannotOpen, unseal
from changke.interfaces.webhooks.services.people import names_of
from changke.interfaces.webhooks.services.receive import LETTER
from changke.interfaces.webhooks.sources import SOURCES
from changke.interfaces.webhooks.told import Told, Unreadable

log = logging.getLogger(__name__)

Changes = dict[str, Any]
Key = tuple[int, str]
"""An address, and a subject or place as its source calls it."""


@dataclass
class Work:
    """A delivery that was read, and what came of it."""

    delivery: WebhookDelivery
    told: Told = field(default_factory=Told)
    changes: Changes = field(default_factory=dict)
    """How it stands afterwards; empty while it is not known."""
    names: Sequence[Sequence[Reference]] = ()
    """Of each person that it is about."""
    store: Store | None = None
    number: str = ""
    facts: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def named(self, subject: str) -> Key:
        return self.delivery.address_id, subject

    @property
    def keys(self) -> set[Key]:
        """What it must not be looked at together with: its own subject, and the order that it belongs to."""
        subjects = {self.told.subject, f"order:{self.told.order}" if self.told.order else ""} - {""}
        return {self.named(subject) for subject in subjects}


def read(delivery: WebhookDelivery, chain: Chain) -> Work:
    """What the letter says. Nothing is asked or written here: what goes wrong is this delivery's alone."""
    try:
        letter = unseal(bytes(delivery.letter or b""), about=LETTER)
        told = SOURCES[delivery.address.source].read(delivery.topic, letter, currency=chain.currency)
        work = Work(delivery, told, number=told.number, names=[names_of(one.names) for one in told.people])
    except CannotOpen:
        return Work(delivery, changes={"state": DeliveryState.FAILED, "reason": "cannot_open"})
    except Unreadable as error:
        failed = {"state": DeliveryState.FAILED, "reason": "unreadable", "detail": error.reason[:400]}
        return Work(delivery, changes=failed)
    except Exception as error:
        log.exception("delivery %s cannot be read", delivery.pk)
        failed = {"state": DeliveryState.FAILED, "reason": "crashed", "detail": type(error).__name__}
        return Work(delivery, changes=failed)
    delivery.subject, delivery.version, delivery.number = told.subject, told.version, told.number
    if told.nothing and told.wish is None:
        work.changes = {"state": DeliveryState.IGNORED, "reason": told.nothing}
    return work
