"""What came of looking after somebody."""

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from changke.decisions.next_best_action.rules import BECAUSE, REASONS
from changke.decisions.next_best_action.services import record_followup
from changke.facts.customers.queries import customer_in
from changke.facts.events.models import Event
from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.api.actors import actor
from changke.interfaces.api.fields import ClientId, Id, Input
from changke.interfaces.api.paging import Page, PageQuery, page, position

router = Router(tags=["followups"])


class FollowupIn(Input):
    """A tap on the day's list. Your own `id` makes it known again: sent twice, it counts once."""

    id: ClientId
    customer_id: Id
    reason: str = Field("by_hand", max_length=40, description="One of " + ", ".join([*REASONS, "by_hand"]) + ".")
    outcome: Literal["done", "not_reached", "postponed", "lost"]
    because: str = Field("", max_length=12, description="With `lost`: " + ", ".join(BECAUSE[1:]) + ", or empty.")
    until: dt.date | None = Field(None, description="With `postponed`: the day on which she is shown again.")

    model_config = {
        "json_schema_extra": {
            "examples": [{"id": "tap-1", "customer_id": 5, "reason": "newly_silent", "outcome": "done"}]
        }
    }


class FollowupOut(Schema):
    id: int
    customer_id: int
    staff_id: int | None
    reason: str
    outcome: str
    until: dt.date | None
    happened_at: dt.datetime


@router.get("", response=Page[FollowupOut], operation_id="get_followups", summary="Follow-ups")
def get_followups(request: HttpRequest, part: Query[PageQuery]) -> dict[str, Any]:
    """The follow-ups of your stores, the latest first."""
    rows = Event.objects.for_scope(actor(request).scope_for(Capability.CUSTOMER_VIEW)).filter(
        kind="followup.recorded", customer__isnull=False, withdrawn_by__isnull=True
    )
    if (after := position(part.cursor, int)) is not None:
        rows = rows.filter(pk__lt=after[0])
    return page(list(rows.order_by("-id")[: part.limit + 1]), part.limit, ends=lambda one: [one.pk], show=_shown)


@router.post(
    "",
    response={201: FollowupOut},
    operation_id="post_followup",
    summary="Record a follow-up",
)
def post_followup(request: HttpRequest, body: FollowupIn) -> FollowupOut:
    """Record what came of looking after a customer, as the event `followup.recorded`."""
    who = actor(request)
    event = record_followup(
        customer_in(who.scope_for(Capability.FACTS_RECORD), body.customer_id),
        reason=body.reason,
        outcome=body.outcome,
        until=body.until,
        because=body.because,
        by=who.staff,
        source_key=f"followup:{who.name}:{body.customer_id}:{body.id}",
        chain=the_chain(),
        now=dt.datetime.now(dt.UTC),
    )
    return _shown(event)


def _shown(one: Event) -> FollowupOut:
    return FollowupOut(
        id=one.pk,
        customer_id=one.customer_id or 0,
        staff_id=one.staff_id,
        reason=str(one.data.get("reason", "")),
        outcome=str(one.data.get("outcome", "")),
        until=one.data.get("until"),
        happened_at=one.happened_at,
    )
