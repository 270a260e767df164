"""Roles and grants: who may do what, where, until when. Only for who may manage roles, and never more than one has."""

import datetime as dt
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from changke.foundation.access.capabilities import BUILT_IN, Capability
from changke.foundation.access.models import ApiKey, Grant, OwnRole, Sees, Staff
from changke.foundation.access.queries import require
from changke.foundation.access.services import grants
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.models import Region, Store
from changke.interfaces.api.actors import actor, giver
from changke.interfaces.api.fields import Code, Id, Input, Moment, Storable, text
from changke.interfaces.api.v1.places import UnknownStore

router = Router(tags=["roles"])

RoleName = Annotated[str, text(60, empty=False), Storable]


class RoleOut(Schema):
    id: int | None = Field(None, description="Null for a built-in role.")
    key: str = Field(..., description="What a grant names: `manager`, or `own:3`.")
    name: str
    capabilities: list[Capability]
    built_in: bool


class RoleIn(Input):
    name: RoleName
    capabilities: Annotated[list[Capability], Field(min_length=1, max_length=len(Capability))]

    model_config = {
        "json_schema_extra": {"examples": [{"name": "收银", "capabilities": ["customer.view", "facts.record"]}]}
    }


class GrantOut(Schema):
    id: int
    staff_id: int | None
    key_id: int | None
    role: str
    region_id: int | None
    store: str | None = Field(None, description="Code of the store. Neither region nor store: the whole chain.")
    sees: Sees = Field(..., description="Which customers of the node: `home`, also those who `visited`, or `assigned`.")
    since: dt.datetime | None
    until: dt.datetime | None
    standing: bool = Field(..., description="Follows from the position, and is replaced with it.")


class GrantIn(Input):
    """To a person or to a key; on a region, on a store, or on the whole chain."""

    staff_id: Id | None = None
    key_id: Id | None = None
    role: Code = Field(..., description="`key` of a role, from GET /api/v1/roles.")
    region_id: Id | None = None
    store: Code | None = None
    sees: Sees = Field(
        Sees.HOME,
        description="Which customers of the node: whose `home` it is; also who `visited` it; or of those at home there"
        " only whose adviser she is (`assigned`, not for keys).",
    )
    since: Moment | None = Field(None, description="At once if left out.")
    until: Moment | None = Field(None, description="Until it is taken back if left out.")

    model_config = {
        "json_schema_extra": {
            "examples": [{"staff_id": 7, "role": "manager", "store": "JA", "until": "2027-01-01T00:00:00+08:00"}]
        }
    }


@router.get("/roles", response=list[RoleOut], operation_id="get_roles", summary="List roles")
def get_roles(request: HttpRequest) -> list[RoleOut]:
    """The built-in roles, then the chain's own, with what each may do."""
    require(actor(request).who, Capability.ROLES_MANAGE)
    fixed = [
        RoleOut(id=None, key=key, name=key, capabilities=[one for one in Capability if one in held], built_in=True)
        for key, held in BUILT_IN.items()
    ]
    return [*fixed, *(_role(one) for one in OwnRole.objects.all())]


@router.post(
    "/roles",
    response={201: RoleOut},
    operation_id="post_role",
    summary="Make a role",
)
def post_role(request: HttpRequest, body: RoleIn) -> RoleOut:
    """Make a role of your own. It may hold what you hold yourself."""
    require(actor(request).who, Capability.ROLES_MANAGE)
    return _role(_saved(request, None, body))


@router.put(
    "/roles/{int:role_id}",
    response=RoleOut,
    operation_id="put_role",
    summary="Change a role",
)
def put_role(request: HttpRequest, role_id: int, body: RoleIn) -> RoleOut:
    """Name and capabilities anew. Whoever holds the role can do what it says from the next request on."""
    require(actor(request).who, Capability.ROLES_MANAGE)
    return _role(_saved(request, _own(role_id), body))


@router.delete("/roles/{int:role_id}", response={204: None}, operation_id="delete_role", summary="Remove a role")
def delete_role(request: HttpRequest, role_id: int) -> tuple[int, None]:
    """Remove a role that nobody holds."""
    require(actor(request).who, Capability.ROLES_MANAGE)
    grants.remove_role(_own(role_id), giver=giver(request), now=dt.datetime.now(dt.UTC))
    return 204, None


@router.get("/grants", response=list[GrantOut], operation_id="get_grants", summary="Grants of somebody")
def get_grants(request: HttpRequest, staff_id: int = 0, key_id: int = 0) -> list[GrantOut]:
    """The grants of one person or one key, also those that have ended or not begun."""
    require(actor(request).who, Capability.ROLES_MANAGE)
    if bool(staff_id) == bool(key_id):
        raise Invalid(field="staff_id", reason="say whose: staff_id or key_id")
    mine = Grant.objects.filter(staff=staff_id) if staff_id else Grant.objects.filter(key=key_id)
    return [_grant(one) for one in mine.select_related("own_role", "store")]


@router.post(
    "/grants",
    response={201: GrantOut},
    operation_id="post_grant",
    summary="Grant a role",
)
def post_grant(request: HttpRequest, body: GrantIn) -> GrantOut:
    """Give somebody a role on a node and everything below it. Nobody gives more than he has."""
    require(actor(request).who, Capability.ROLES_MANAGE)
    grant = grants.grant_role(
        _holder(body),
        _named(body.role),
        node=_node(body),
        sees=body.sees,
        since=body.since,
        until=body.until,
        giver=giver(request),
        now=dt.datetime.now(dt.UTC),
    )
    return _grant(grant)


@router.delete("/grants/{int:grant_id}", response={204: None}, operation_id="delete_grant", summary="Take a role back")
def delete_grant(request: HttpRequest, grant_id: int) -> tuple[int, None]:
    """Take a role back at once. The last owner's stays."""
    require(actor(request).who, Capability.ROLES_MANAGE)
    grant = Grant.objects.select_related("staff", "key", "own_role", "region", "store").filter(pk=grant_id).first()
    if grant is None:
        raise NotFound
    grants.take_back(grant, giver=giver(request), now=dt.datetime.now(dt.UTC))
    return 204, None


def _saved(request: HttpRequest, role: OwnRole | None, body: RoleIn) -> OwnRole:
    return grants.save_role(
        role, name=body.name, capabilities=body.capabilities, giver=giver(request), now=dt.datetime.now(dt.UTC)
    )


def _own(role_id: int) -> OwnRole:
    role = OwnRole.objects.filter(pk=role_id).first()
    if role is None:
        raise NotFound
    return role


def _named(key: str) -> str | OwnRole:
    kind, _, number = key.partition(":")
    if kind != "own":
        return key
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        raise Invalid(field="role", reason="there is no such role")
    return _own(int(number))


def _holder(body: GrantIn) -> Staff | ApiKey:
    if (body.staff_id is None) == (body.key_id is None):
        raise Invalid(field="staff_id", reason="say whose: staff_id or key_id")
    holder: Staff | ApiKey | None = None
    if body.staff_id is not None:
        holder = Staff.objects.filter(pk=body.staff_id).first()
    elif body.key_id is not None:
        holder = ApiKey.objects.filter(pk=body.key_id).first()
    if holder is None:
        raise NotFound
    return holder


def _node(body: GrantIn) -> Region | Store | None:
    if body.region_id is not None and body.store is not None:
        raise Invalid(field="region_id", reason="say one place: a region or a store")
    if body.store is not None:
        store = Store.objects.filter(code=body.store).first()
        if store is None:
            raise UnknownStore(value=body.store)
        return store
    if body.region_id is None:
        return None
    region = Region.objects.filter(pk=body.region_id).first()
    if region is None:
        raise NotFound
    return region


def _role(one: OwnRole) -> RoleOut:
    held = [Capability(key) for key in one.capabilities if key in Capability._value2member_map_]
    return RoleOut(id=one.pk, key=f"own:{one.pk}", name=one.name, capabilities=held, built_in=False)


def _grant(one: Grant) -> GrantOut:
    return GrantOut(
        id=one.pk,
        staff_id=one.staff_id,
        key_id=one.key_id,
        role=one.built_in or f"own:{one.own_role_id}",
        region_id=one.region_id,
        store=one.store.code if one.store else None,
        sees=Sees(one.sees),
        since=one.since,
        until=one.until,
        standing=one.standing,
    )
