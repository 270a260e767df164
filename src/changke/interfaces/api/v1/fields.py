"""The chain's own fields, for machines: what is asked, what stands in it, and writing it."""

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, StrictBool, StrictInt

from changke.facts.customers.queries import customer_in
from changke.facts.fields import rules
from changke.facts.fields.models import Field as OwnField
from changke.facts.fields.queries import fields_for, values_of
from changke.facts.fields.services import change_field, define, retire, set_values
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Role
from changke.foundation.errors import Invalid, NotFound
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


class FieldKept(FieldOut):
    """A field as whoever defines fields sees it."""

    roles: list[str] = Field(..., description="Who sees it; none: everybody who sees the customer.")
    position: int
    is_retired: bool = Field(..., description="Asked no more; what stands in it stays.")


Labels = Annotated[dict[Code, Line200], Field(max_length=3)]
Choices = Annotated[list[Line200], Field(max_length=rules.MOST_CHOICES)]
Bound = Annotated[StrictInt, Field(ge=-rules.LARGEST, le=rules.LARGEST)] | None
Roles = Annotated[list[Role], Field(max_length=len(Role))]


class FieldIn(Input):
    """A field to ask of every customer. Key and kind stay; the rest may change."""

    key: Code = Field(..., description="What machines and conditions call it.")
    kind: Literal["text", "number", "money", "date", "choice", "choices", "yes_no"]
    labels: Labels = Field(..., description="Language (`zh-hans`, `en`, `zh-hant`) to words.")
    choices: Choices = []
    required: StrictBool = False
    minimum: Bound = None
    maximum: Bound = None
    roles: Roles = Field([], description="Who sees it; none: everybody who sees the customer.")

    model_config = {
        "json_schema_extra": {
            "examples": [{"key": "skin", "kind": "choice", "labels": {"zh-hans": "肤质"}, "choices": ["干性", "油性"]}]
        }
    }


class FieldChange(Input):
    """Only what is sent is changed. Values that stand there already are not judged anew."""

    labels: Labels | None = None
    choices: Choices | None = None
    required: StrictBool | None = None
    minimum: Bound = None
    maximum: Bound = None
    roles: Roles | None = None
    position: Annotated[int, Field(ge=0, le=1000)] | None = None

    model_config = {"json_schema_extra": {"examples": [{"choices": ["干性", "油性", "混合"]}]}}


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
    "/fields/all", response=list[FieldKept], operation_id="get_all_fields", summary="Every field, retired or not"
)
def get_all_fields(request: HttpRequest) -> list[FieldKept]:
    """As whoever defines them sees them, in their order."""
    actor(request).scope_for(Capability.FIELDS_MANAGE)
    return [_kept(one) for one in OwnField.objects.order_by("position", "id")]


@router.post("/fields", response={201: FieldKept}, operation_id="post_field", summary="Define a field")
def post_field(request: HttpRequest, body: FieldIn) -> FieldKept:
    """From now on it is asked of every customer. 409 where the key is taken."""
    actor(request).scope_for(Capability.FIELDS_MANAGE)
    return _kept(define(**body.model_dump(mode="json"), by=by(request), now=dt.datetime.now(dt.UTC)))


@router.patch("/fields/{key}", response=FieldKept, operation_id="patch_field", summary="Change a field")
def patch_field(request: HttpRequest, key: str, body: FieldChange) -> FieldKept:
    """409 where somebody still has a choice that is taken away, or a segment or a stage model asks for it."""
    actor(request).scope_for(Capability.FIELDS_MANAGE)
    changes = body.model_dump(mode="json", exclude_unset=True)
    for name in ("labels", "choices", "required", "roles", "position"):
        if name in changes and changes[name] is None:
            raise Invalid(field=name, reason="must not be empty")
    return _kept(change_field(_known(key), changes, by=by(request), now=dt.datetime.now(dt.UTC)))


@router.post("/fields/{key}/retire", response=FieldKept, operation_id="retire_field", summary="Ask it no more")
def retire_field(request: HttpRequest, key: str) -> FieldKept:
    """What stands in it stays. 409 where a stage model asks for it."""
    actor(request).scope_for(Capability.FIELDS_MANAGE)
    return _kept(retire(_known(key), by=by(request), now=dt.datetime.now(dt.UTC)))


@router.post("/fields/{key}/ask", response=FieldKept, operation_id="ask_field", summary="Ask a retired field again")
def ask_field(request: HttpRequest, key: str) -> FieldKept:
    """It stands on every customer's page again, with what stood in it."""
    actor(request).scope_for(Capability.FIELDS_MANAGE)
    return _kept(retire(_known(key), back=True, by=by(request), now=dt.datetime.now(dt.UTC)))


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


def _known(key: str) -> OwnField:
    found = OwnField.objects.filter(key=key).first() if "\0" not in key else None
    if found is None:
        raise NotFound
    return found


def _kept(one: OwnField) -> FieldKept:
    return FieldKept(
        key=one.key,
        kind=one.kind,
        labels=one.labels,
        choices=one.choices,
        required=one.required,
        minimum=one.minimum,
        maximum=one.maximum,
        roles=one.roles,
        position=one.position,
        is_retired=one.retired_at is not None,
    )


def _mine(request: HttpRequest) -> list[OwnField]:
    return fields_for(actor(request).who.role)
