"""Whom the stores look after today."""

import datetime as dt
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from changke.decisions.next_best_action import queries
from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.api.actors import actor
from changke.interfaces.api.paging import LONGEST
from changke.interfaces.api.v1.stages import StoreQuery, narrowed

router = Router(tags=["today"])


class TodayQuery(StoreQuery):
    adviser_id: int | None = Field(None, description="Only the customers of this adviser.")
    limit: int = Field(20, ge=1, le=LONGEST)


class TodayLine(Schema):
    customer_id: int
    name: str
    phone_masked: str
    stage: str
    value_group: str | None
    adviser_id: int | None
    store: str
    reason: str = Field(..., description="first_order, vip_overdue, at_risk, newly_silent, overdue or birthday.")
    also: list[str] = Field(..., description="Further reasons.")
    suggestion: str
    numbers: dict[str, int | str] = Field(..., description="What the reason counts, such as silent_days.")
    value_at_risk_minor: int
    deadline: dt.datetime | None
    outcome: str | None = Field(None, description="What was recorded today, or null.")


class TodayOut(Schema):
    day: dt.date
    currency: str
    done: int
    closed_until: dt.date | None = Field(
        None, description="Where every store is closed that day: the next opening day, to which what is due moves."
    )
    lines: list[TodayLine]


@router.get("", response=TodayOut, operation_id="get_today", summary="The list of the day")
def get_today(request: HttpRequest, query: Query[TodayQuery]) -> dict[str, Any]:
    """Whom to look after today and why: first orders by their deadline, then by value at risk."""
    chain = the_chain()
    scope = narrowed(actor(request).scope_for(Capability.CUSTOMER_VIEW), query.store)
    day = queries.today(scope, chain=chain, now=dt.datetime.now(dt.UTC), mine=query.adviser_id, length=query.limit)
    lines = [{**asdict(line), "also": list(line.also)} for line in day.lines]
    return {
        "day": day.day,
        "currency": chain.currency,
        "done": day.done,
        "closed_until": day.closed_until,
        "lines": lines,
    }
