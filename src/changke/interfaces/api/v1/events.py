"""Events in: everything else that happened, as typed codes."""

import datetime as dt
from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, SkipValidation
from pydantic.types import FiniteFloat, StrictBool, StrictInt

from changke.facts.events.services import KINDS, OUR_OWN, NewEvent, receive
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.api.actors import actor
from changke.interfaces.api.fields import ClientId, Code, Input, Line200, Moment
from changke.interfaces.api.v1.batches import Batch, Many, Report
from changke.interfaces.api.v1.people import CustomerRef
from changke.interfaces.api.v1.places import Named

router = Router(tags=["events"])

Value = StrictBool | StrictInt | FiniteFloat | Line200 | None
OPEN_KINDS = sorted(set(KINDS) - OUR_OWN)


class EventIn(Input):
    """One event. Your own `id` makes it known again: sent twice, it counts once."""

    id: ClientId = Field(..., description="Your own id of the event, unique in the kind, store and source.")
    kind: Code = Field(..., description="One of: " + ", ".join(f"`{kind}` ({KINDS[kind]})" for kind in OPEN_KINDS))
    source: Code = Field("api", description="Which system speaks.")
    happened_at: Moment = Field(..., description="With its zone.")
    store: Code | None = Field(None, description="Code of the store; a key for some stores only must name one.")
    customer: CustomerRef | None = None
    staff: Code | None = None
    data: Annotated[dict[Code, Value], Field(max_length=20)] = Field(
        {}, description="Codes and numbers, at most 20; never personal text, because events cannot be erased."
    )


class EventBatch(Input):
    """Up to 1,000 events."""

    events: Annotated[list[Annotated[EventIn, SkipValidation]], Many]

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "events": [
                        {
                            "id": "mail-7-open",
                            "kind": "app.opened",
                            "store": "JA",
                            "happened_at": "2026-03-01T20:00:00+08:00",
                            "customer": {"phone": "13800007831"},
                            "data": {"page": "wallet"},
                        }
                    ]
                }
            ]
        }
    }


@router.post("", response=Report, operation_id="post_events", summary="Record events")
def post_events(request: HttpRequest, body: EventBatch) -> Report:
    """Record up to 1,000 events of known kinds. What the house itself records (stage changes, unmasked phones) is
    refused here."""
    batch = Batch(body.events, EventIn)
    scope, chain = actor(request).scope_for(Capability.FACTS_RECORD), the_chain()
    stores, staff = [one.store for one in batch], [one.staff for one in batch]
    named = Named(chain, scope, stores=stores, staff=staff)
    return batch.take_in(
        lambda one: new_event(one, named, whole_chain=scope.whole_chain),
        lambda events: receive(events, scope=scope, time_zone=chain.time_zone, now=dt.datetime.now(dt.UTC)),
    )


def new_event(one: EventIn, named: Named, *, whole_chain: bool) -> NewEvent:
    if one.store is None and not whole_chain:
        raise Invalid(field="store", reason="is missing")
    store = named.store(one.store) if one.store is not None else None
    return NewEvent(
        kind=one.kind,
        source=one.source,
        source_key=f"{one.kind}:{one.source}:{store.pk if store else ''}:{one.id}",
        happened_at=one.happened_at,
        store=store,
        who=one.customer.reference() if one.customer else None,
        staff_id=named.staff_id(one.staff),
        data=one.data,
    )
