"""Who works here: added, changed, let go. Roles given besides are grants (`/grants`)."""

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field, StrictBool

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import CHAIN_WIDE_ROLES, Role, Sees, Staff
from changke.foundation.access.queries import require_above, scope_of
from changke.foundation.access.services import add_staff, change_staff
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Code, Input, Storable, text
from changke.interfaces.api.paging import Page, PageQuery, page, position
from changke.interfaces.api.v1.places import Named

router = Router(tags=["staff"])

Name = Annotated[str, text(120, empty=False), Storable]
Position = Literal["owner", "hq", "manager", "staff", "analyst"]
Whom = Literal["home", "visited", "assigned"]
Password = Annotated[str, Field(min_length=1, max_length=200), Storable]
Stores = Annotated[list[Code], Field(max_length=500)]


class StaffOut(Schema):
    """Somebody who works here."""

    id: int
    code: str
    name: str
    role: Role
    stores: list[str]
    """Codes; empty for those who see the whole chain."""


class StaffKept(StaffOut):
    """Somebody as whoever manages the staff sees her."""

    username: str
    sees: Sees = Field(..., description="Which customers of her stores: of the home store, who came, her own.")
    is_active: bool


class StaffIn(Input):
    """Somebody new. Nobody gives a position that may more than he."""

    username: Annotated[str, text(60, empty=False), Storable]
    name: Name
    role: Position
    stores: Stores = Field([], description="Codes; needed for manager and staff.")
    sees: Whom = "home"
    password: Password | None = Field(None, description="Without one nobody can log in under the name.")
    code: Annotated[str, text(60), Storable] = Field("", description="What tills and files call her.")

    model_config = {
        "json_schema_extra": {"examples": [{"username": "anna", "name": "安娜", "role": "staff", "stores": ["JA"]}]}
    }


class StaffChange(Input):
    """Only what is sent is changed. Her standing grants follow role and stores; what was granted besides stays."""

    name: Name | None = None
    role: Position | None = None
    stores: Stores | None = None
    sees: Whom | None = None
    password: Password | None = None
    is_active: StrictBool | None = None

    model_config = {"json_schema_extra": {"examples": [{"is_active": False}]}}


@router.get("/staff", response=Page[StaffOut], operation_id="get_staff", summary="List staff")
def get_staff(request: HttpRequest, part: Query[PageQuery]) -> dict[str, Any]:
    """Active staff: of the whole chain for owner and headquarters, else of your stores."""
    scope = scope_of(actor(request).who)
    rows = Staff.objects.filter(is_active=True).prefetch_related("stores").order_by("id")
    if scope.places is not None:
        rows = rows.filter(stores__in=scope.places).distinct()
    if (after := position(part.cursor, int)) is not None:
        rows = rows.filter(pk__gt=after[0])
    return page(list(rows[: part.limit + 1]), part.limit, ends=lambda one: [one.pk], show=staff_out)


@router.get("/staff/{int:staff_id}", response=StaffKept, operation_id="get_person", summary="One of the staff")
def get_person(request: HttpRequest, staff_id: int) -> StaffKept:
    """Somebody with her log-in name, whether she still works here or not."""
    actor(request).scope_for(Capability.STAFF_MANAGE)
    return _kept(_person(staff_id))


@router.post("/staff", response={201: StaffKept}, operation_id="post_staff", summary="Add somebody")
def post_staff(request: HttpRequest, body: StaffIn) -> StaffKept:
    """409 where somebody has the log-in name, 403 for a position that may more than you."""
    actor(request).scope_for(Capability.STAFF_MANAGE)
    require_above(actor(request).who, None, body.role)
    stores = _stores(request, body.stores)
    _works_somewhere(body.role, stores)
    told = body.model_dump() | {"stores": stores}
    return _kept(add_staff(**told, by=by(request), now=dt.datetime.now(dt.UTC)))


@router.patch("/staff/{int:staff_id}", response=StaffKept, operation_id="patch_staff", summary="Change somebody")
def patch_staff(request: HttpRequest, staff_id: int, body: StaffChange) -> StaffKept:
    """Whoever may more than you is not yours to change (403); the last owner stays one (409). Who is not active any
    more is logged out at her next request."""
    actor(request).scope_for(Capability.STAFF_MANAGE)
    person = _person(staff_id)
    require_above(actor(request).who, person, body.role or person.role)
    changes = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    if not changes:
        raise Invalid(field="body", reason="send at least one field to change")
    if body.stores is not None:
        changes["stores"] = _stores(request, body.stores)
    if body.role is not None or body.stores is not None:
        _works_somewhere(body.role or person.role, changes.get("stores", list(person.stores.all())))
    return _kept(change_staff(person, **changes, by=by(request), now=dt.datetime.now(dt.UTC)))


def _person(staff_id: int) -> Staff:
    person = Staff.objects.filter(pk=staff_id).first()
    if person is None:
        raise NotFound
    return person


def _stores(request: HttpRequest, codes: list[str]) -> list[Store]:
    named = Named(the_chain(), actor(request).scope_for(Capability.STAFF_MANAGE), stores=codes)
    return [named.store(code) for code in dict.fromkeys(codes)]


def _works_somewhere(role: str, stores: list[Store]) -> None:
    if role not in CHAIN_WIDE_ROLES and role != Role.ANALYST and not stores:
        raise Invalid(field="stores", reason="choose the store she works in: without one she would see nobody")


def staff_out(one: Staff) -> StaffOut:
    codes = [] if scope_of(one).whole_chain else sorted(store.code for store in one.stores.all())
    return StaffOut(id=one.pk, code=one.code, name=one.name, role=Role(one.role), stores=codes)


def _kept(one: Staff) -> StaffKept:
    return StaffKept(**staff_out(one).model_dump(), username=one.username, sees=Sees(one.sees), is_active=one.is_active)
