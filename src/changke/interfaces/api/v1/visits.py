"""Visits in: somebody was in the store, whether or not she bought."""

import datetime as dt
from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, SkipValidation

from changke.facts.visits.services.receive import NewVisit, receive
from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.api.actors import actor
from changke.interfaces.api.fields import ClientId, Code, Input, Moment, Storable, text
from changke.interfaces.api.v1.batches import Batch, Many, Report
from changke.interfaces.api.v1.people import CustomerRef
from changke.interfaces.api.v1.places import Named

router = Router(tags=["visits"])


class VisitIn(Input):
    """One visit. Your own `id` makes it known again: sent twice, it counts once."""

    id: ClientId = Field(..., description="Your own id of the visit, unique in the store and source.")
    source: Code = Field("api", description="Which system speaks.")
    store: Code = Field(..., description="Code of the store.")
    happened_at: Moment = Field(..., description="With its zone.")
    customer: CustomerRef
    staff: Code | None = Field(None, description="Code of whoever served her.")
    purpose: Annotated[str, text(120), Storable] = ""


class VisitBatch(Input):
    """Up to 1,000 visits."""

    visits: Annotated[list[Annotated[VisitIn, SkipValidation]], Many]

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "visits": [
                        {
                            "id": "door-118",
                            "store": "JA",
                            "happened_at": "2026-03-01T12:05:00+08:00",
                            "customer": {"external_id": "M-2201", "source": "till"},
                        }
                    ]
                }
            ]
        }
    }


@router.post("", response=Report, operation_id="post_visits", summary="Record visits")
def post_visits(request: HttpRequest, body: VisitBatch) -> Report:
    """Record up to 1,000 visits. A receipt implies a visit of its day; send visits of their own for the others."""
    batch = Batch(body.visits, VisitIn)
    scope = actor(request).scope_for(Capability.FACTS_RECORD)
    named = Named(the_chain(), scope, stores=[one.store for one in batch], staff=[one.staff for one in batch])
    return batch.take_in(
        lambda one: new_visit(one, named), lambda visits: receive(visits, scope=scope, now=dt.datetime.now(dt.UTC))
    )


def new_visit(one: VisitIn, named: Named) -> NewVisit:
    store = named.store(one.store)
    return NewVisit(
        store=store,
        who=one.customer.reference(),
        name=one.customer.name,
        source=one.source,
        source_key=f"visit:{one.source}:{store.pk}:{one.id}",
        happened_at=one.happened_at,
        purpose=one.purpose,
        staff_id=named.staff_id(one.staff),
    )
