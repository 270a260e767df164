"""What machines sent and what still waits: returns whose purchase has not come."""

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from changke.facts.purchases.models import WaitingReturn
from changke.facts.purchases.queries import waiting_returns
from changke.facts.purchases.services.receive import count_anyway
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import NotFound
from changke.interfaces.api.actors import actor
from changke.interfaces.api.fields import Id
from changke.interfaces.api.paging import Page, PageQuery, page, position

router = Router(tags=["facts"])


class WaitingOut(Schema):
    id: int
    store: str
    source: str
    number: str
    original_number: str = Field(..., description="The receipt that it gives back and that has not come.")
    amount_minor: int
    happened_at: dt.datetime
    waiting_since: dt.datetime
    refusal: str = Field(..., description="Code of the refusal, where the purchase came and the two do not fit.")


class CountedOut(Schema):
    receipt_id: int


@router.get("", response=Page[WaitingOut], operation_id="get_waiting_returns", summary="Returns that wait")
def get_waiting_returns(request: HttpRequest, part: Query[PageQuery]) -> dict[str, Any]:
    """Returns of your stores whose purchase has not come, the longest waiting first. They are in no number yet."""
    rows = waiting_returns(actor(request).scope_for(Capability.FACTS_RECORD))
    if (after := position(part.cursor, int)) is not None:
        rows = rows.filter(pk__gt=after[0])
    return page(list(rows[: part.limit + 1]), part.limit, ends=lambda one: [one.pk], show=_shown)


@router.post(
    "/{waiting_id}/count",
    response=CountedOut,
    operation_id="count_waiting_return",
    summary="Count a return without its purchase",
)
def count_waiting_return(request: HttpRequest, waiting_id: Id) -> CountedOut:
    """Its purchase will never come: the return counts for its store from now on, for no customer."""
    row = waiting_returns(actor(request).scope_for(Capability.FACTS_RECORD)).filter(pk=waiting_id).first()
    if row is None:
        raise NotFound
    return CountedOut(receipt_id=count_anyway(row, now=dt.datetime.now(dt.UTC)))


def _shown(one: WaitingReturn) -> WaitingOut:
    return WaitingOut(
        id=one.pk,
        store=one.store.code,
        source=one.source,
        number=one.number,
        original_number=one.original_number,
        amount_minor=one.amount_minor,
        happened_at=one.happened_at,
        waiting_since=one.waiting_since,
        refusal=one.refusal,
    )
