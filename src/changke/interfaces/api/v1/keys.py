"""Keys of machines, by machines: made, rotated, revoked. A key may always rotate itself."""

import datetime as dt
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import CHAIN_WIDE_ROLES, ApiKey
from changke.foundation.access.queries import node_scope, require, rights_of
from changke.foundation.access.rights import Held, Rights, capabilities_of
from changke.foundation.access.services.grants import MoreThanOnesOwn
from changke.foundation.access.services.keys import PER_MINUTE, IssuedKey, issue_key, revoke_key, rotate_key
from changke.foundation.errors import Invalid, NotAllowed, NotFound
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Code, Input, Storable, text
from changke.interfaces.api.v1.places import Named

router = Router(tags=["keys"])


class KeyOut(Schema):
    """A key without its secret."""

    id: int
    name: str
    begins_with: str
    role: str
    stores: list[str] = Field(..., description="Codes of its stores; none for a role of the whole chain.")
    scopes: list[str] = Field(..., description="Capabilities it is held to; none: all that its role includes.")
    networks: list[str] = Field(..., description="Addresses it is taken from; none: everywhere.")
    per_minute: int
    created_at: dt.datetime
    last_used_at: dt.datetime | None = Field(None, description="To the minute.")
    ends_at: dt.datetime | None = Field(None, description="From then on it opens nothing; null: not planned.")
    replaces: int | None = Field(None, description="The key whose successor it is.")


class NewKeyOut(KeyOut):
    secret: str = Field(..., description="Shown this once. The same Idempotency-Key shows it again.")


class KeyIn(Input):
    """A key may not do more than who makes it."""

    name: Annotated[str, text(120, empty=False), Storable]
    role: Literal["owner", "hq", "manager", "staff", "analyst"]
    stores: Annotated[list[Code], Field(max_length=500)] = []
    scopes: Annotated[list[Capability], Field(max_length=100)] = []
    networks: Annotated[list[Annotated[str, text(50), Storable]], Field(max_length=20)] = []
    per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = PER_MINUTE

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "name": "till 3",
                    "role": "staff",
                    "stores": ["JA"],
                    "scopes": ["facts.record"],
                    "networks": ["203.0.113.7"],
                }
            ]
        }
    }


class RotateIn(Input):
    overlap_hours: Annotated[int, Field(ge=0, le=720)] = Field(24, description="How long the old one still opens.")


@router.get("", response=list[KeyOut], operation_id="get_keys", summary="Keys")
def get_keys(request: HttpRequest) -> list[KeyOut]:
    """Every key, also those that open nothing any more."""
    require(actor(request).who, Capability.KEYS_MANAGE)
    return [_shown(key) for key in ApiKey.objects.prefetch_related("stores")]


@router.post("", response={201: NewKeyOut}, operation_id="post_key", summary="Make a key")
def post_key(request: HttpRequest, body: KeyIn) -> NewKeyOut:
    """Make a key and show its secret once."""
    who = actor(request)
    require(who.who, Capability.KEYS_MANAGE)
    named = Named(the_chain(), who.scope_for(Capability.KEYS_MANAGE), stores=body.stores)
    stores = [named.store(code) for code in body.stores]
    if not stores and body.role not in CHAIN_WIDE_ROLES and body.role != "analyst":
        raise Invalid(field="stores", reason="is missing")
    _covered(request, body, stores)
    return _new(
        issue_key(
            name=body.name,
            role=body.role,
            stores=stores,
            scopes=[one.value for one in body.scopes],
            networks=body.networks,
            per_minute=body.per_minute,
            by=by(request),
            now=dt.datetime.now(dt.UTC),
        )
    )


@router.post("/self/rotate", response={201: NewKeyOut}, operation_id="rotate_own_key", summary="Rotate this key")
def rotate_own_key(request: HttpRequest, body: RotateIn) -> NewKeyOut:
    """A successor of the key that asks. The old one still opens for the overlap."""
    who = actor(request)
    if who.key is None:
        raise NotAllowed
    return _rotated(request, who.key, body)


@router.post("/{int:key_id}/rotate", response={201: NewKeyOut}, operation_id="rotate_key", summary="Rotate a key")
def rotate(request: HttpRequest, key_id: int, body: RotateIn) -> NewKeyOut:
    """A successor that may do the same. At most two of a line are valid at a time."""
    require(actor(request).who, Capability.KEYS_MANAGE)
    return _rotated(request, _key(request, key_id), body)


@router.delete("/{int:key_id}", response={204: None}, operation_id="delete_key", summary="Revoke a key")
def delete_key(request: HttpRequest, key_id: int) -> tuple[int, None]:
    """It opens nothing from the next request on. Its row stays, because facts name it."""
    require(actor(request).who, Capability.KEYS_MANAGE)
    revoke_key(_key(request, key_id), by=by(request), now=dt.datetime.now(dt.UTC))
    return 204, None


def _key(request: HttpRequest, key_id: int) -> ApiKey:
    """A key that may not do more than who asks: with it he would gain what he does not have."""
    key = ApiKey.objects.filter(pk=key_id).first()
    if key is None:
        raise NotFound
    if not rights_of(actor(request).who).covers(rights_of(key)):
        raise MoreThanOnesOwn
    return key


def _covered(request: HttpRequest, body: KeyIn, stores: list[Store]) -> None:
    where = node_scope(None) if body.role in CHAIN_WIDE_ROLES or not stores else Scope(frozenset(s.pk for s in stores))
    wanted = Rights((Held(capabilities_of(body.role), where),))
    wanted = wanted.held_to(body.scopes) if body.scopes else wanted
    if not rights_of(actor(request).who).covers(wanted):
        raise MoreThanOnesOwn


def _rotated(request: HttpRequest, key: ApiKey, body: RotateIn) -> NewKeyOut:
    return _new(
        rotate_key(
            key,
            overlap=dt.timedelta(hours=body.overlap_hours),
            by=by(request),
            now=dt.datetime.now(dt.UTC),
        )
    )


def _new(issued: IssuedKey) -> NewKeyOut:
    return NewKeyOut(**_shown(issued.key).model_dump(), secret=issued.secret)


def _shown(key: ApiKey) -> KeyOut:
    return KeyOut(
        id=key.pk,
        name=key.name,
        begins_with=key.begins_with,
        role=key.role,
        stores=[store.code for store in key.stores.all()],
        scopes=key.scopes,
        networks=key.networks,
        per_minute=key.per_minute,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        ends_at=key.revoked_at,
        replaces=key.replaces_id,
    )
