"""Hand the customers of somebody who leaves over to others."""

import datetime as dt
from typing import Annotated, Literal

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext
from ninja import Router, Schema
from pydantic import Field

from changke.actions.tasks import services
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.errors import Invalid, NotFound
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Id, Input
from changke.interfaces.web.bulk.sending import send_off

router = Router(tags=["batches"])


class HandOverIn(Input):
    """Who takes over, and how. With `dry_run` it only says who would get how many."""

    receivers: Annotated[list[Id], Field(min_length=1, max_length=services.MOST_RECEIVERS)]
    how: Literal["even", "served"] = Field(
        "even", description="`even`: the money at risk evenly; `served`: to whoever served her last, the others evenly."
    )
    dry_run: bool = False

    model_config = {"json_schema_extra": {"examples": [{"receivers": [4, 9], "how": "served", "dry_run": True}]}}


class ShareOut(Schema):
    staff_id: int
    customers: int
    value_at_risk_minor: int


class HandOverOut(Schema):
    batch_id: int | None = Field(None, description="Ask GET /api/v1/batches/{id} how far it is; null in a dry run.")
    shares: list[ShareOut]
    left: int = Field(..., description="Customers who stay, because none of them works in their stores.")


@router.post(
    "/{int:staff_id}/hand-over",
    response={201: HandOverOut},
    operation_id="post_hand_over",
    summary="Hand her customers over",
)
def post_hand_over(request: HttpRequest, staff_id: int, body: HandOverIn) -> HandOverOut:
    """Share the customers of one adviser out among others. It runs in the background and can be undone as a batch."""
    who = actor(request)
    scope = who.scope_for(Capability.HANDOVER_RUN)
    leaver = Staff.objects.filter(pk=staff_id).first()
    if leaver is None:
        raise NotFound
    people = list(Staff.objects.filter(pk__in=body.receivers, is_active=True))
    if len(people) != len(set(body.receivers)):
        raise Invalid(field="receivers", reason="choose others who are at work")
    planned = services.plan(leaver, people, body.how, scope=scope)
    if not planned.customers and not scope.whole_chain:
        raise NotFound
    batch_id = None
    if not body.dry_run:
        with transaction.atomic():
            title = gettext("Customers of %(name)s handed over") % {"name": leaver.name}
            batch = services.hand_over(
                leaver, people, body.how, title=title, scope=scope, by=by(request), created_by=who.staff,
                now=dt.datetime.now(dt.UTC),
            )  # fmt: skip
            send_off(batch)
            batch_id = batch.pk
    shares = [
        ShareOut(staff_id=one.staff_id, customers=len(one.customer_ids), value_at_risk_minor=one.at_risk_minor)
        for one in planned.shares
    ]
    return HandOverOut(batch_id=batch_id, shares=shares, left=len(planned.left))
