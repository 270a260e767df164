"""Segments: what they ask, how many fit, who is in them, how they compare."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from pydantic import StrictBool

from changke.facts.customers.models import whom
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid, NotFound
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Input, text
from changke.interfaces.api.paging import Page, page, position
from changke.interfaces.api.v1.history import VERSION, WHY
from changke.profiles.conditions import TextError
from changke.profiles.segments import queries
from changke.profiles.segments.asking import Words, words_of_the_chain
from changke.profiles.segments.models import Segment, SegmentMember
from changke.profiles.segments.moves import Move, Position, inside_at, moves_of
from changke.profiles.segments.services.save import drop_segment, freeze, refused, save_segment

router = Router(tags=["segments"])
PAGE = 500
WITHIN = dt.timedelta(microseconds=999)
"""What we answer has milliseconds: a moment that is asked with one means the whole of it."""


class SegmentOut(Schema):
    key: str
    name: str
    text: str = Field(..., description="What it asks; of a frozen list, what was asked when it was frozen.")
    is_static: bool = Field(..., description="A frozen list.")
    is_tracked: bool = Field(..., description="Who enters and who leaves is written down.")
    tracked_since: dt.datetime | None = Field(None, description="From then on it is known who was in it.")
    version: int = Field(..., description="Another condition is another version.")
    changed_at: dt.datetime


class SegmentCounted(SegmentOut):
    customers: int = Field(..., description="Who fits now, among those of your stores.")


class SegmentIn(Input):
    name: str = Field(..., min_length=1, max_length=60)
    text: str = Field(..., min_length=1, max_length=20_000, description="docs/algorithms/conditions.md explains it.")
    key: str = Field("", max_length=40, description="Made from the name where it is left out.")
    is_tracked: StrictBool = True
    freeze: StrictBool = Field(False, description="`true`: write down who fits now, as a list that stays.")

    model_config = {"json_schema_extra": {"examples": [{"name": "沉睡高价值", "text": "silent_days >= 60"}]}}


class SegmentChange(Input):
    name: str | None = Field(None, min_length=1, max_length=60)
    text: str | None = Field(None, min_length=1, max_length=20_000)
    is_tracked: StrictBool | None = None

    model_config = {"json_schema_extra": {"examples": [{"text": "silent_days >= 90"}]}}


class ConditionIn(Input):
    text: str = Field(..., min_length=1, max_length=20_000)

    model_config = {"json_schema_extra": {"examples": [{"text": "silent_days >= 60"}]}}


class CountOut(Schema):
    customers: int
    total: int = Field(..., description="Everybody of your stores.")
    sample: list[int] = Field(..., description="Ids of a few of them, the most valuable first.")


class MemberOut(Schema):
    customer_id: int
    entered_at: dt.datetime
    entered_why: str = Field(..., description=WHY)
    entered_version: int = Field(..., description=VERSION)
    left_at: dt.datetime | None
    left_why: str = Field(..., description=WHY)
    left_version: int | None = Field(None, description=VERSION)


class MembersOut(Schema):
    items: list[MemberOut]
    next: str | None


class MembersQuery(Schema):
    cursor: int = Field(0, ge=0, le=2**63 - 1)
    left: bool = Field(False, description="`true`: those who left.")
    at: dt.datetime | None = Field(None, description="Who was in it at this moment, which says its zone.")


class MoveOut(Schema):
    """She entered, or left."""

    moment: dt.datetime
    customer_id: int
    left: bool = Field(..., description="`true`: she left; `false`: she entered.")
    why: str = Field(..., description=WHY)
    version: int = Field(..., description=VERSION)


class MovesQuery(Schema):
    since: dt.datetime = Field(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), description="From this moment on.")
    cursor: Annotated[str, text(400)] = Field("", description="`next` of the page before.")


class OverlapOut(Schema):
    one: int
    other: int
    both: int
    either: int


class PortraitOut(Schema):
    customers: int
    spend_minor: int
    ticket_minor: int | None
    gap_days: int | None
    visits: int
    ages: Mapping[int, int] = Field(..., description="Decade of birth -> customers.")
    sources: Mapping[str, int]
    services: Mapping[str, int] = Field(..., description="Category -> customers who had something of it in 365 days.")
    reachable: int = Field(
        ..., description="Who agreed to marketing on a channel, and of whom an address of that channel is known."
    )
    reachable_by: Mapping[str, int] = Field(..., description="Channel -> customers.")


class PortraitsOut(Schema):
    segment: PortraitOut
    everybody: PortraitOut


@router.get("", response=list[SegmentOut], operation_id="get_segments", summary="Segments")
def get_segments(request: HttpRequest) -> list[Segment]:
    """All segments of the chain, by name."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return list(Segment.objects.all())


@router.post("", response={201: SegmentOut}, operation_id="post_segment", summary="Save a segment, or freeze a list")
def post_segment(request: HttpRequest, body: SegmentIn) -> SegmentOut:
    """422 names line and column of a text that is no condition."""
    actor(request).scope_for(Capability.SEGMENTS_MANAGE)
    now = _now()
    if body.freeze:
        frozen = freeze(name=body.name, text=body.text, key=body.key, by=by(request), now=now)
        return SegmentOut.from_orm(frozen)
    saved = save_segment(
        None, name=body.name, text=body.text, key=body.key, is_tracked=body.is_tracked, by=by(request), now=now
    )
    return SegmentOut.from_orm(saved)


@router.post("/count", response=CountOut, operation_id="count_condition", summary="How many would fit")
def count_condition(request: HttpRequest, body: ConditionIn) -> CountOut:
    """Count a condition without saving it."""
    scope, now, words = actor(request).scope_for(Capability.ANALYTICS_VIEW), _now(), _words(request)
    try:
        _, condition = words.read(body.text)
    except TextError as error:
        raise refused(error) from None
    return CountOut(
        customers=queries.count(condition, words, now=now, scope=scope),
        total=queries.count(None, words, now=now, scope=scope),
        sample=queries.sample(condition, words, now=now, scope=scope),
    )


@router.get("/{key}", response=SegmentCounted, operation_id="get_segment", summary="One segment, counted")
def get_segment(request: HttpRequest, key: str) -> SegmentCounted:
    """What it asks, and how many of your stores' customers fit now."""
    scope, one, words = actor(request).scope_for(Capability.ANALYTICS_VIEW), _there(key), _words(request)
    customers = queries.count(queries.condition_of(one, words), words, now=_now(), scope=scope)
    return SegmentCounted(**SegmentOut.from_orm(one).dict(), customers=customers)


@router.patch("/{key}", response=SegmentOut, operation_id="patch_segment", summary="Change a segment")
def patch_segment(request: HttpRequest, key: str, body: SegmentChange) -> SegmentOut:
    """What is left out stays. A frozen list cannot ask anything: 422."""
    actor(request).scope_for(Capability.SEGMENTS_MANAGE)
    if body.name is None and body.text is None and body.is_tracked is None:
        raise Invalid(field="body", reason="send at least one field to change")
    one = _there(key)
    saved = save_segment(
        one,
        name=body.name or one.name,
        text=body.text or one.text,
        is_tracked=one.is_tracked if body.is_tracked is None else body.is_tracked,
        by=by(request),
        now=_now(),
    )
    return SegmentOut.from_orm(saved)


@router.delete("/{key}", response={204: None}, operation_id="delete_segment", summary="Drop a segment")
def delete_segment(request: HttpRequest, key: str) -> tuple[int, None]:
    """409 while another segment asks for it."""
    actor(request).scope_for(Capability.SEGMENTS_MANAGE)
    drop_segment(_there(key), by=by(request), now=_now())
    return 204, None


@router.get("/{key}/members", response=MembersOut, operation_id="get_segment_members", summary="Who is in it")
def get_segment_members(request: HttpRequest, key: str, query: Query[MembersQuery]) -> MembersOut:
    """Who is in it since when, or who left when, or who was in it at a past moment; of a tracked segment or a frozen
    list. 409 for a moment before it was followed."""
    scope, one = actor(request).scope_for(Capability.CUSTOMER_VIEW), _there(key)
    queries.condition_of(one, _words(request))
    if query.at is not None:
        rows = inside_at(one, min(_with_zone("at", query.at), _now()) + WITHIN, scope=scope)
    else:
        rows = SegmentMember.objects.filter(segment=one, left_at__isnull=not query.left)
        rows = rows if scope.store_ids is None else rows.filter(whom(scope))
    found = list(rows.filter(pk__gt=query.cursor).order_by("pk")[: PAGE + 1])
    items = [MemberOut.from_orm(row) for row in found[:PAGE]]
    return MembersOut(items=items, next=str(found[PAGE - 1].pk) if len(found) > PAGE else None)


@router.get("/{key}/moves", response=Page[MoveOut], operation_id="get_segment_moves", summary="Who came and went")
def get_segment_moves(request: HttpRequest, key: str, query: Query[MovesQuery]) -> dict[str, Any]:
    """Everybody who entered or left, in the order of time, those too whom a saving brought in or put out. Ask again
    with the last moment as `since` for what came after; a moment may come twice."""
    scope, one = actor(request).scope_for(Capability.CUSTOMER_VIEW), _there(key)
    queries.condition_of(one, _words(request))
    after = position(query.cursor, str, int, int)
    since = _with_zone("since", query.since)
    found = moves_of(one, scope=scope, since=since, after=_position(after), most=PAGE + 1)
    return page(found, PAGE, ends=_ends, show=MoveOut.from_orm)


def _with_zone(field: str, moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise Invalid(field=field, reason="needs its zone")
    return moment


def _ends(one: Move) -> list[Any]:
    return [one.moment.isoformat(), one.stay, int(one.left)]


def _position(after: list[Any] | None) -> Position | None:
    if after is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(after[0])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 0 <= after[1] < 2**63:
        raise Invalid(field="cursor", reason="is not a cursor of this list: send `next` of the page before")
    return moment, after[1], bool(after[2])


@router.get("/{key}/portrait", response=PortraitsOut, operation_id="get_segment_portrait", summary="Its portrait")
def get_segment_portrait(request: HttpRequest, key: str) -> PortraitsOut:
    """The group in numbers, beside everybody of your stores."""
    scope, words, now = actor(request).scope_for(Capability.ANALYTICS_VIEW), _words(request), _now()
    condition = queries.condition_of(_there(key), words)
    hers, all_ = (queries.portrait(asked, words, now=now, scope=scope) for asked in (condition, None))
    return PortraitsOut(segment=PortraitOut.from_orm(hers), everybody=PortraitOut.from_orm(all_))


@router.get("/{key}/overlap/{other}", response=OverlapOut, operation_id="get_segment_overlap", summary="Two segments")
def get_segment_overlap(request: HttpRequest, key: str, other: str) -> OverlapOut:
    """How many are in the one, in the other, in both."""
    scope, words = actor(request).scope_for(Capability.ANALYTICS_VIEW), _words(request)
    return OverlapOut.from_orm(queries.overlap(_there(key), _there(other), words, now=_now(), scope=scope))


def _there(key: str) -> Segment:
    one = Segment.objects.filter(key=key).first()
    if one is None:
        raise NotFound
    return one


def _words(request: HttpRequest) -> Words:
    """Own fields that the role may not see cannot be asked."""
    return words_of_the_chain(role=actor(request).who.role)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
