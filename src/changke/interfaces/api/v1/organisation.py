"""The chain as a tree: its settings, its regions and stores, changed by machines as on the page."""

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field, StrictBool

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.queries import scope_of
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.models import Chain, Region, Store
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.services import (
    add_region,
    add_store,
    change_region,
    change_settings,
    remove_region,
)
from changke.interfaces import jobs, organising
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Code, Id, Input, Storable, text
from changke.interfaces.api.paging import Page, PageQuery, page, position

router = Router(tags=["organisation"])

Name = Annotated[str, text(120, empty=False), Storable]
Zone = Annotated[str, text(60, empty=False), Storable]
Activities = Annotated[list[Literal["visit", "purchase", "use"]], Field(min_length=1, max_length=3)]
Days = Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]


class StoreOut(Schema):
    """A store. Its code is what tills and files call it."""

    code: str
    name: str
    region: str
    region_id: int | None
    time_zone: str
    opening_days: list[int]
    """ISO weekdays, 1 is Monday."""
    is_open: bool


class ChainOut(Schema):
    """The chain and the days of its stages."""

    name: str
    currency: str
    time_zone: str
    language: str
    silent_after_days: int
    lost_after_days: int
    mature_visit_days: int
    gap_weight: int
    activity_kinds: list[str]
    second_factor_required: bool


class ChainChange(Input):
    """Only what is sent is changed: all of it or, where one is wrong, nothing."""

    name: Name | None = None
    silent_after_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    lost_after_days: Annotated[int, Field(ge=2, le=3650)] | None = None
    mature_visit_days: Annotated[int, Field(ge=2, le=365)] | None = None
    activity_kinds: Activities | None = None
    second_factor_required: StrictBool | None = None

    model_config = {"json_schema_extra": {"examples": [{"silent_after_days": 45, "lost_after_days": 150}]}}


class DaysQuery(Schema):
    """Days to try; the chain's own where they are left out."""

    silent_after_days: int | None = Field(None, ge=1, le=3650)
    lost_after_days: int | None = Field(None, ge=2, le=3650)


class SilentOut(Schema):
    silent: int
    lost: int


class ChainPreview(Schema):
    """How many customers are silent and lost today, and how many would be."""

    now: SilentOut
    then: SilentOut


class RegionOut(Schema):
    id: int
    name: str
    parent: int | None = Field(..., description="Id of the region it hangs from; null: the chain.")


class RegionIn(Input):
    name: Name
    parent: Id | None = None

    model_config = {"json_schema_extra": {"examples": [{"name": "华东", "parent": None}]}}


class StoreIn(Input):
    """A new store."""

    code: Code = Field(..., description="What tills and files call it; it never changes.")
    name: Name
    region: Id | None = Field(None, description="Id of a region; left out: the chain itself.")
    time_zone: Zone | None = Field(None, description="Such as Asia/Shanghai; left out: the chain's.")
    opening_days: Days = Field([1, 2, 3, 4, 5, 6, 7], description="1 is Monday, 7 is Sunday.")

    model_config = {"json_schema_extra": {"examples": [{"code": "PD", "name": "浦东店"}]}}


class StoreChange(Input):
    """Only what is sent is changed. The business dates of past facts stay."""

    name: Name | None = None
    region: Id | None = None
    time_zone: Zone | None = None
    opening_days: Days | None = None
    is_open: StrictBool | None = None

    model_config = {"json_schema_extra": {"examples": [{"opening_days": [1, 2, 3, 4, 5, 6]}]}}


@router.get("/chain", response=ChainOut, operation_id="get_chain", summary="Settings of the chain")
def get_chain(request: HttpRequest) -> Any:
    """Its name, and after how many days somebody is silent or lost."""
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    return the_chain()


@router.get("/chain/preview", response=ChainPreview, operation_id="preview_chain", summary="What other days would do")
def preview_chain(request: HttpRequest, query: Query[DaysQuery]) -> ChainPreview:
    """How many customers would be silent and lost with these days. Nothing is changed."""
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    chain = the_chain()
    silent, lost = query.silent_after_days or chain.silent_after_days, query.lost_after_days or chain.lost_after_days
    now, then = organising.silent_and_lost(chain, silent, lost, now=dt.datetime.now(dt.UTC))
    return ChainPreview(now=SilentOut(**now), then=SilentOut(**then))


@router.patch("/chain", response=ChainOut, operation_id="patch_chain", summary="Change settings of the chain")
def patch_chain(request: HttpRequest, body: ChainChange) -> ChainOut:
    """Where its days or what counts as being active change, everybody's stage is computed again in the background."""
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    chain: Chain = the_chain()
    changes = _given(body)
    before = {name: getattr(chain, name) for name in changes}
    change_settings(chain, changes, by=by(request), now=dt.datetime.now(dt.UTC))
    if {name for name, value in changes.items() if value != before[name]} - {"name", "second_factor_required"}:
        jobs.ask_for_refresh()
    return ChainOut.from_orm(chain)


@router.get("/regions", response=list[RegionOut], operation_id="get_regions", summary="Regions")
def get_regions(request: HttpRequest) -> list[RegionOut]:
    """Every region, those above before those below."""
    actor(request).scope_for(Capability.ORGANISATION_MANAGE)
    return [_region(one) for one in Region.objects.order_by("path")]


@router.post("/regions", response={201: RegionOut}, operation_id="post_region", summary="Add a region")
def post_region(request: HttpRequest, body: RegionIn) -> RegionOut:
    """The region of this name at this place, made if it is not there yet."""
    actor(request).scope_for(Capability.ORGANISATION_MANAGE)
    parent = _named(body.parent, "parent")
    return _region(add_region(name=body.name, parent=parent, by=by(request), now=dt.datetime.now(dt.UTC)))


@router.put("/regions/{int:region_id}", response=RegionOut, operation_id="put_region", summary="Rename or move it")
def put_region(request: HttpRequest, region_id: int, body: RegionIn) -> RegionOut:
    """Everything below moves with it: whoever holds a role above gains or loses the stores that came or went."""
    actor(request).scope_for(Capability.ORGANISATION_MANAGE)
    known, parent = _known(region_id), _named(body.parent, "parent")
    return _region(change_region(known, name=body.name, parent=parent, by=by(request), now=dt.datetime.now(dt.UTC)))


@router.delete("/regions/{int:region_id}", response={204: None}, operation_id="delete_region", summary="Take it away")
def delete_region(request: HttpRequest, region_id: int) -> tuple[int, None]:
    """409 where stores, regions or roles still hang from it."""
    actor(request).scope_for(Capability.ORGANISATION_MANAGE)
    remove_region(_known(region_id), by=by(request), now=dt.datetime.now(dt.UTC))
    return 204, None


@router.get("/stores", response=Page[StoreOut], operation_id="get_stores", summary="List stores")
def get_stores(request: HttpRequest, part: Query[PageQuery]) -> dict[str, Any]:
    """The stores you may see, by code."""
    rows = Store.objects.for_scope(scope_of(actor(request).who)).select_related("region").order_by("code")
    if (after := position(part.cursor, str)) is not None:
        rows = rows.filter(code__gt=after[0])
    return page(list(rows[: part.limit + 1]), part.limit, ends=lambda one: [one.code], show=store_out)


@router.post("/stores", response={201: StoreOut}, operation_id="post_store", summary="Add a store")
def post_store(request: HttpRequest, body: StoreIn) -> StoreOut:
    """409 where a store has the code."""
    actor(request).scope_for(Capability.ORGANISATION_MANAGE)
    made = add_store(
        code=body.code,
        name=body.name,
        region=_named(body.region, "region"),
        time_zone=body.time_zone or the_chain().time_zone,
        opening_days=sorted(set(body.opening_days)),
        by=by(request),
        now=dt.datetime.now(dt.UTC),
    )
    return store_out(made)


@router.patch("/stores/{path:code}", response=StoreOut, operation_id="patch_store", summary="Change a store")
def patch_store(request: HttpRequest, code: str, body: StoreChange) -> StoreOut:
    """Name, region, zone, opening days, whether it is open. In another zone its customers' day begins at another
    moment: they are computed again in the background."""
    actor(request).scope_for(Capability.ORGANISATION_MANAGE)
    store = Store.objects.select_related("region").filter(code=code).first() if "\0" not in code else None
    if store is None:
        raise NotFound
    changes = _given(body, may_be_empty=frozenset({"region"}))
    if "region" in changes:
        changes["region"] = _named(changes["region"], "region")
    if "opening_days" in changes:
        changes["opening_days"] = sorted(set(changes["opening_days"]))
    return store_out(organising.change(store, changes, by=by(request), now=dt.datetime.now(dt.UTC)))


def _given(body: Input, *, may_be_empty: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The fields that were sent."""
    changes = body.model_dump(exclude_unset=True)
    if not changes:
        raise Invalid(field="body", reason="send at least one field to change")
    for name, value in changes.items():
        if value is None and name not in may_be_empty:
            raise Invalid(field=name, reason="must not be empty")
    return changes


def _known(region_id: int) -> Region:
    found = Region.objects.filter(pk=region_id).first()
    if found is None:
        raise NotFound
    return found


def _named(region_id: int | None, field: str) -> Region | None:
    found = Region.objects.filter(pk=region_id).first() if region_id is not None else None
    if region_id is not None and found is None:
        raise Invalid(field=field, reason="there is no such region")
    return found


def store_out(one: Store) -> StoreOut:
    return StoreOut(
        code=one.code,
        name=one.name,
        region=one.region.name if one.region else "",
        region_id=one.region_id,
        time_zone=one.time_zone,
        opening_days=one.opening_days,
        is_open=one.is_open,
    )


def _region(one: Region) -> RegionOut:
    return RegionOut(id=one.pk, name=one.name, parent=one.parent_id)
