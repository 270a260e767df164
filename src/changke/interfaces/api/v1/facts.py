"""Facts of every kind through one door: what a till remembers of its day, in whatever order it sends it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Router
from pydantic import BaseModel, Field, SkipValidation

from changke.facts.customers.services import together
from changke.facts.events.services import Events
from changke.facts.purchases.services.receive import Receipts
from changke.facts.referrals.services.receive import NewReferral, Referrals
from changke.facts.visits.services.receive import Visits
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.foundation.intake import Outcome
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.interfaces.api.actors import actor
from changke.interfaces.api.errors import Malformed
from changke.interfaces.api.fields import ClientId, Code, Input, Moment
from changke.interfaces.api.problems import Problem
from changke.interfaces.api.v1.batches import Many, Report, Translated, read, report, translated
from changke.interfaces.api.v1.events import EventIn, new_event
from changke.interfaces.api.v1.people import CustomerRef
from changke.interfaces.api.v1.places import Named
from changke.interfaces.api.v1.purchases import PurchaseIn, new_receipt
from changke.interfaces.api.v1.referrals import referrer
from changke.interfaces.api.v1.visits import VisitIn, new_visit

router = Router(tags=["facts"])


class PurchaseFact(PurchaseIn):
    """A sale, or the use of a card or stored value."""

    type: Literal["purchase"]
    kind: Literal["sale", "use"] = Field("sale", description="`use`: paid wholly by stored value, sessions or points.")


class ReturnFact(PurchaseIn):
    """Something is given back. With `original_number` it belongs to whoever bought, and waits if need be."""

    type: Literal["return"]
    kind: Literal["return"] = "return"


class VisitFact(VisitIn):
    """Somebody was in the store."""

    type: Literal["visit"]


class EventFact(EventIn):
    """Everything else that happened."""

    type: Literal["event"]


class ReferralFact(Input):
    """She was brought by another customer. Both must be known, by a fact of the same batch at the latest."""

    type: Literal["referral"]
    id: ClientId = Field(..., description="Your own id of the statement, unique in the source.")
    source: Code = Field("api", description="Which system speaks.")
    happened_at: Moment = Field(..., description="When she was brought, with its zone.")
    customer: CustomerRef
    referrer: CustomerRef | None = Field(
        ..., description="Who brought her; null: nobody is known, what was said before is taken back."
    )


AnyFact = Annotated[PurchaseFact | ReturnFact | VisitFact | EventFact | ReferralFact, Field(discriminator="type")]
MODELS: Mapping[str, type[BaseModel]] = {
    "purchase": PurchaseFact,
    "return": ReturnFact,
    "visit": VisitFact,
    "event": EventFact,
    "referral": ReferralFact,
}
CHOICES = ", ".join(f"'{name}'" for name in MODELS)

F = TypeVar("F", bound=BaseModel)


class FactBatch(BaseModel):
    """Up to 1,000 facts, mixed as you like."""

    facts: Annotated[list[Annotated[AnyFact, SkipValidation]], Many]

    model_config = {
        "extra": "forbid",
        "json_schema_extra": {
            "examples": [
                {
                    "facts": [
                        {
                            "type": "purchase",
                            "number": "JA-20260301-0007",
                            "store": "JA",
                            "happened_at": "2026-03-01T12:30:00+08:00",
                            "customer": {"phone": "138 0000 7831", "name": "张三"},
                            "currency": "CNY",
                            "lines": [{"item": "F1", "amount_minor": 28800}],
                            "tenders": [{"kind": "wechat", "amount_minor": 28800}],
                        },
                        {
                            "type": "return",
                            "number": "JA-20260302-0001",
                            "original_number": "JA-20260301-0007",
                            "store": "JA",
                            "happened_at": "2026-03-02T10:05:00+08:00",
                            "lines": [{"item": "F1", "amount_minor": 28800}],
                        },
                        {
                            "type": "visit",
                            "id": "door-118",
                            "store": "JA",
                            "happened_at": "2026-03-03T09:00:00+08:00",
                            "customer": {"phone": "138 0000 7831"},
                        },
                        {
                            "type": "event",
                            "id": "mail-7-open",
                            "kind": "app.opened",
                            "store": "JA",
                            "happened_at": "2026-03-03T20:00:00+08:00",
                            "customer": {"phone": "138 0000 7831"},
                        },
                        {
                            "type": "referral",
                            "id": "invite-52",
                            "happened_at": "2026-03-01T12:30:00+08:00",
                            "customer": {"phone": "138 0000 7831"},
                            "referrer": {"phone": "139 0000 2210"},
                        },
                    ]
                }
            ]
        },
    }


@router.post(
    "",
    response=Report,
    operation_id="post_facts",
    summary="Record facts of every kind",
)
def post_facts(request: HttpRequest, body: FactBatch) -> Report:
    """Record up to 1,000 purchases, returns, visits, events and referrals. Each is judged on its own. Send them in any
    order, and again whenever you are not sure: each counts once. A return that comes before its purchase waits for
    it."""
    scope = actor(request).scope_for(Capability.FACTS_RECORD)
    return report(take_in(body.facts, scope=scope, chain=the_chain(), now=dt.datetime.now(dt.UTC)))


def take_in(facts: Sequence[object], *, scope: Scope, chain: Chain, now: dt.datetime) -> list[Outcome]:
    """What came of each fact, in the order given."""
    outcomes: dict[int, Outcome] = {}
    items: dict[int, BaseModel] = {}
    for index, raw in enumerate(facts):
        try:
            items[index] = read(raw, _model(raw))
        except DomainError as refusal:
            outcomes[index] = refusal
    receipts = _only(items, PurchaseIn)
    visits = _only(items, VisitIn)
    events = _only(items, EventIn)
    referrals = _only(items, ReferralFact)
    everything: list[Any] = [*receipts.values(), *visits.values(), *events.values()]
    named = Named(
        chain,
        scope,
        stores=[one.store for one in everything],
        staff=[one.staff for one in everything],
        items=[line.item for one in receipts.values() for line in one.lines],
    )
    told: tuple[Translated[Any], ...] = (
        translated(receipts, lambda one: new_receipt(one, named)),
        translated(visits, lambda one: new_visit(one, named)),
        translated(events, lambda one: new_event(one, named, whole_chain=scope.whole_chain)),
        translated(referrals, _new_referral),
    )
    parts = (
        Receipts(list(told[0].facts.values()), now=now),
        Visits(list(told[1].facts.values()), now=now),
        Events(list(told[2].facts.values()), time_zone=chain.time_zone, now=now),
        Referrals(list(told[3].facts.values()), time_zone=chain.time_zone, now=now),
    )
    for one, came in zip(told, together.take_in(parts, scope=scope, now=now), strict=True):
        outcomes |= one.refused | {index: came[place] for place, index in enumerate(one.facts)}
    return [outcomes[index] for index in range(len(facts))]


def _new_referral(one: ReferralFact) -> NewReferral:
    return NewReferral(
        who=one.customer.reference(),
        referrer=referrer(one.referrer) if one.referrer else None,
        source_key=f"referral:{one.source}:{one.id}",
        happened_at=one.happened_at,
    )


def _model(raw: object) -> type[BaseModel]:
    """Of which kind an item says that it is."""
    told = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(raw, dict):
        raise Malformed([Problem("body", gettext_noop("must be an object"))])
    if told is None:
        raise Malformed([Problem("type", gettext_noop("is missing"))])
    if not isinstance(told, str) or told not in MODELS:
        raise Malformed([Problem("type", gettext_noop("choose one of %(expected)s"), {"expected": CHOICES})])
    return MODELS[told]


def _only(items: Mapping[int, BaseModel], model: type[F]) -> dict[int, F]:
    return {index: one for index, one in items.items() if isinstance(one, model)}
