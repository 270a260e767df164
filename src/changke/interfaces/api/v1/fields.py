"""The chain's own fields, for machines: what is asked, what stands in it, and writing it."""

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, StrictBool, StrictInt

from changke.facts.customers.queries import customer_in
from changke.facts.fields.models import Field as OwnField
from changke.facts.fields.queries import fields_for, values_of
from changke.facts.fields.services import set_values
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Code, Input, Line200

router = Router(tags=["fields"])

Value = StrictBool | StrictInt | Line200 | list[Line200] | None


class FieldOut(Schema):
    """One field of the chain's own."""

    key: str
    kind: str = Field(..., description="text, number, money, date, choice, choices or yes_no")
    labels: dict[str, str] = Field(..., description="Language to words.")
    choices: list[str]
    required: bool
    minimum: int | None = Field(..., description="Of a text the shortest length; of money minor units.")
    maximum: int | None


class FieldValues(Schema):
    """What stands in the fields of a customer, by key; null where nothing does."""

    values: dict[str, Any]


class FieldValuesIn(Input):
    """Only the fields that are sent are written; null empties one."""

    values: Annotated[dict[Code, Value], Field(max_length=60)] = Field(
        ..., description="Money in minor units, a day as 2026-03-01, several choices as a list."
    )

    model_config = {"json_schema_extra": {"examples": [{"values": {"skin": "dry", "wedding": "2019-05-20"}}]}}


@router.get("/fields", response=list[FieldOut], operation_id="get_fields", summary="Fields of the chain's own")
def get_fields(request: HttpRequest) -> Any:
    """The fields in use that your role sees, in their order."""
    actor(request).scope_for(Capability.CUSTOMER_VIEW)
    return fields_for(actor(request).who.role)


@router.get(
    "/customers/{int:customer_id}/fields",
    response=FieldValues,
    operation_id="get_customer_fields",
    summary="What stands in a customer's own fields",
)
def get_customer_fields(request: HttpRequest, customer_id: int) -> Any:
    """The value of every field that your role sees, by its key; null where nothing was written."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id)
    return {"values": values_of(customer.pk, _mine(request))}


@router.patch(
    "/customers/{int:customer_id}/fields",
    response=FieldValues,
    operation_id="patch_customer_fields",
    summary="Write a customer's own fields",
)
def patch_customer_fields(request: HttpRequest, customer_id: int, body: FieldValuesIn) -> Any:
    """All of them or, where one does not fit, none. A field your role does not see is not there for you."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_EDIT), customer_id)
    mine = _mine(request)
    known = {one.key for one in mine}
    if unknown := sorted(set(body.values) - known):
        raise Invalid(field=unknown[0], reason="not a field of this chain")
    set_values(customer.pk, body.values, by=by(request), now=dt.datetime.now(dt.UTC))
    return {"values": values_of(customer.pk, mine)}


def _mine(request: HttpRequest) -> list[OwnField]:
    return fields_for(actor(request).who.role)
