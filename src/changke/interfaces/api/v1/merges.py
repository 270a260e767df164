"""Two records of one person are joined, and parted again."""

import datetime as dt

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from changke.facts.customers.models import MergeLink
from changke.facts.customers.queries import customer_in, family_of, link_in
from changke.facts.customers.services.merge import joined_to, merge, unmerge
from changke.foundation.access.capabilities import Capability
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Id, Input

router = Router(tags=["customers"])


class MergeIn(Input):
    """Which record is read as hers from now on."""

    merged_id: Id = Field(..., description="The other record of the same person.")

    model_config = {"json_schema_extra": {"examples": [{"merged_id": 4812}]}}


class MergeOut(Schema):
    """A living link between two records of one person."""

    id: int = Field(..., description="Of the batch: it can be undone like any other.")
    merged_id: int
    into_id: int
    why: str
    since: dt.datetime


@router.get(
    "/{int:customer_id}/merges", response=list[MergeOut], operation_id="get_merges", summary="Her records that are one"
)
def get_merges(request: HttpRequest, customer_id: int) -> list[MergeOut]:
    """The links by which several records are read as this person."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id)
    return [
        MergeOut(id=one.batch_id, merged_id=one.merged_id, into_id=one.into_id, why=one.why, since=one.since)
        for one in joined_to(family_of(customer.pk))
    ]


@router.post(
    "/{int:customer_id}/merges", response={201: MergeOut}, operation_id="post_merge", summary="Join another record"
)
def post_merge(request: HttpRequest, customer_id: int, body: MergeIn) -> MergeOut:
    """From now on the other record is read as this customer: purchases, visits, consents (the strictest wins),
    identifiers, notes. Nothing is deleted; undoing it gives both back."""
    scope, now = actor(request).scope_for(Capability.CUSTOMER_MERGE), dt.datetime.now(dt.UTC)
    into, merged = customer_in(scope, customer_id), customer_in(scope, body.merged_id)
    link = merge(merged.pk, into.pk, by=by(request), now=now)
    return _out(link)


@router.delete(
    "/{int:customer_id}/merges/{int:merge_id}",
    response={200: MergeOut},
    operation_id="delete_merge",
    summary="Part them",
)
def delete_merge(request: HttpRequest, customer_id: int, merge_id: int) -> MergeOut:
    """Both are themselves again. What was recorded meanwhile goes to the side whose identifier it carried."""
    scope, now = actor(request).scope_for(Capability.CUSTOMER_MERGE), dt.datetime.now(dt.UTC)
    link = unmerge(link_in(scope, customer_id, merge_id), by=by(request), now=now)
    return _out(link)


def _out(link: MergeLink) -> MergeOut:
    return MergeOut(
        id=int(link.batch_id or 0), merged_id=link.merged_id, into_id=link.into_id, why=link.why, since=link.happened_at
    )
