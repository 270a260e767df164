"""Tags of a customer, with the evidence for each; as she wore them on any day."""

import datetime as dt
from typing import Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from changke.facts.customers.models import TagEnd
from changke.facts.customers.past import tags_at
from changke.facts.customers.queries import customer_in
from changke.facts.customers.services import tags
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import NotFound
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import start_of_day
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Input

router = Router(tags=["customers"])


class TagOut(Schema):
    name: str
    source: str = Field(..., description="`staff`, `api`, `rule`, or the load that brought it, as `import:7`.")
    given_by: str
    rule: str = Field(..., description="Name of the rule that put it on.")
    fact: str = Field(..., description="The fact it was read from, as `receipt:12`.")
    since: dt.datetime
    until: dt.datetime | None = Field(None, description="When it came off; null while she wears it.")
    stale_on: dt.date | None = None


class TagsQuery(Schema):
    as_of: dt.date | None = Field(None, description="The tags she wore when this day ended in her store.")


class TagIn(Input):
    name: str = Field(..., min_length=1, max_length=60)
    fact: str = Field("", max_length=60, description="What you read it from, as `order:1001`.")

    model_config = {"json_schema_extra": {"examples": [{"name": "敏感肌"}]}}


class TagOff(Input):
    name: str = Field(..., min_length=1, max_length=60)
    because: Literal["removed", "disputed"] = Field(
        "removed", description="`disputed`: it is not true of her; no rule puts it on again."
    )

    model_config = {"json_schema_extra": {"examples": [{"name": "敏感肌", "because": "disputed"}]}}


@router.get("/{int:customer_id}/tags", response=list[TagOut], operation_id="get_tags", summary="Her tags, and why")
def get_tags(request: HttpRequest, customer_id: int, query: Query[TagsQuery]) -> list[TagOut]:
    """What she wears now, or wore on a day, each with its evidence."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id)
    moment = dt.datetime.now(dt.UTC)
    if query.as_of is not None:
        zone = customer.home_store.time_zone if customer.home_store else the_chain().time_zone
        end = start_of_day(query.as_of + dt.timedelta(days=1), zone) - dt.timedelta(microseconds=1)
        moment = min(moment, end)
    return [TagOut.from_orm(one) for one in tags_at([customer.pk], moment)]


@router.post(
    "/{int:customer_id}/tags",
    response={201: list[TagOut]},
    operation_id="post_tag",
    summary="Put a tag on",
)
def post_tag(request: HttpRequest, customer_id: int, body: TagIn) -> list[TagOut]:
    """Put a tag on her; a second time confirms it. Answers with everything she wears."""
    who = actor(request)
    customer = customer_in(who.scope_for(Capability.CUSTOMER_EDIT), customer_id)
    now = dt.datetime.now(dt.UTC)
    tags.add_tag(customer, body.name, source="staff" if who.staff else "api", by=by(request), fact=body.fact, now=now)
    return [TagOut.from_orm(one) for one in tags_at([customer.pk], now)]


@router.post(
    "/{int:customer_id}/tags/off",
    response=list[TagOut],
    operation_id="post_tag_off",
    summary="Take a tag off",
)
def post_tag_off(request: HttpRequest, customer_id: int, body: TagOff) -> list[TagOut]:
    """Take a tag off her; 404 where she does not wear it. Answers with what she still wears."""
    who = actor(request)
    customer = customer_in(who.scope_for(Capability.CUSTOMER_EDIT), customer_id)
    now = dt.datetime.now(dt.UTC)
    if not tags.remove_tag(customer, body.name, by=by(request), because=TagEnd(body.because), now=now):
        raise NotFound
    return [TagOut.from_orm(one) for one in tags_at([customer.pk], now)]
