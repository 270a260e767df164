"""Addresses for web shops and systems that call us: making them, and what came in by them."""

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces import jobs
from changke.interfaces.api import actors
from changke.interfaces.api.actors import actor
from changke.interfaces.api.fields import Code, Id, Input, Storable, text
from changke.interfaces.api.paging import Page, PageQuery, page, position
from changke.interfaces.api.v1.places import UnknownStore
from changke.interfaces.webhooks.models import PrivacyRequest, WebhookAddress, WebhookDelivery
from changke.interfaces.webhooks.queries import address_of, addresses, delivery_of, refusals
from changke.interfaces.webhooks.services import receive
from changke.interfaces.webhooks.services.addresses import (
    change_address,
    make_address,
    map_place,
    queue_again,
    rotate_secret,
)
from changke.interfaces.webhooks.services.privacy import (
    ANSWER_WITHIN,
    close,
    forget_whom_it_names,
    known_only_by,
    may_forget_the_shop,
    refuse_answered,
)

router = Router(tags=["webhooks"])

Networks = Annotated[list[Annotated[str, text(50), Storable]], Field(max_length=50)]
Secret = Annotated[str, text(400), Storable]
Name = Annotated[str, text(120, empty=False), Storable]


class AddressIn(Input):
    """A new address. Shopify and Youzan give the secret; for `standard` we make it and show it once."""

    source: Literal["shopify", "youzan", "standard"]
    name: Name
    secret: Secret = ""
    client_id: Annotated[str, text(200), Storable] = Field("", description="Youzan's client_id.")
    allowed_networks: Networks = Field([], description="Empty: from everywhere.")
    keep_days: Annotated[int, Field(strict=True, ge=1, le=365)] = 30

    model_config = {"json_schema_extra": {"examples": [{"source": "standard", "name": "Till of the outlet"}]}}


class AddressChange(Input):
    name: Name | None = None
    allowed_networks: Networks | None = None
    keep_days: Annotated[int, Field(strict=True, ge=1, le=365)] | None = None
    is_active: bool | None = None

    model_config = {"json_schema_extra": {"examples": [{"keep_days": 60, "allowed_networks": ["203.0.113.0/24"]}]}}


class Rotation(Input):
    secret: Secret = Field("", description="Left out for `standard`: we make one.")


class PlaceIn(Input):
    place: Annotated[str, text(40, empty=False), Storable] = Field(..., description="kdt_id, location id, or `online`.")
    store: Code | None = Field(None, description="Code of our store; null: its facts wait.")

    model_config = {"json_schema_extra": {"examples": [{"place": "1023", "store": "JA"}]}}


class PlaceOut(Schema):
    place: str
    name: str
    store: str | None


class RefusalsOut(Schema):
    reason: str
    times: int


class AddressOut(Schema):
    id: int
    source: str
    receipt_source: str = Field(
        ..., description="The `source` of its purchases: the source's own for the first open address, else its own."
    )
    name: str
    path: str = Field(..., description="The address is /hooks/{path}/ of your installation.")
    is_active: bool
    allowed_networks: list[str]
    keep_days: int
    places: list[PlaceOut]
    refused_this_week: list[RefusalsOut]


class MadeOut(AddressOut):
    secret: str = Field(..., description="Shown this once.")


class DeliveryOut(Schema):
    id: int
    delivery_id: str
    topic: str
    state: Literal["received", "done", "ignored", "waiting", "failed"]
    reason: str = Field(..., description="Code: why it was ignored, waits, or failed.")
    detail: str
    created: int
    can_replay: bool
    received_at: dt.datetime
    processed_at: dt.datetime | None


class WokenOut(Schema):
    deliveries: int = Field(..., description="So many had waited for it and are read again now.")


class ReplayOut(Schema):
    is_queued: bool = Field(..., description="False where its letter is gone.")


class RequestOut(Schema):
    """What a web shop passed on of somebody. `export` asks for her data, `erase` that she be forgotten, `erase_shop`
    that everybody be whom only this shop knows."""

    id: int
    address_id: int
    kind: Literal["export", "erase", "erase_shop"]
    external_id: str = Field(..., description="Her number at the shop.")
    customer_ids: list[int] = Field(..., description="Whom it names here; empty where nobody is known.")
    received_at: dt.datetime
    would_erase: int | None = Field(None, description="For `erase_shop` while it waits: how many only this shop knows.")
    answer_until: dt.datetime
    handled_at: dt.datetime | None


class AnswerIn(Input):
    """How the request is answered. Nobody is erased without the numbers that `customer_ids` shows, and no shop without
    its name."""

    outcome: Literal["exported", "erased", "nobody"] = Field(
        ...,
        description="`exported`: you handed her what POST /customers/{id}/export gave. `erased`: erase her now."
        " `nobody`: nobody is known here, or the chain keeps its own customers.",
    )
    confirm: Annotated[list[Id], Field(max_length=20)] = Field([], description="For `erased`: the numbers of all.")
    confirm_shop: Annotated[str, text(120), Storable] = Field(
        "", description="For `erased` of a whole shop: the name of its address."
    )

    model_config = {"json_schema_extra": {"examples": [{"outcome": "nobody"}]}}


@router.get(
    "/requests", response=list[RequestOut], operation_id="get_privacy_requests", summary="Privacy requests of web shops"
)
def get_privacy_requests(request: HttpRequest) -> list[RequestOut]:
    """Those that wait for an answer, the oldest first, and the last hundred that have one."""
    actor(request).scope_for(Capability.WEBHOOKS_MANAGE)
    told = PrivacyRequest.objects.select_related("address")
    waiting = told.filter(handled_at__isnull=True).order_by("pk")
    return [_asked(one) for one in [*waiting, *told.filter(handled_at__isnull=False)[:100]]]


@router.post(
    "/requests/{request_id}/answer",
    response=RequestOut,
    operation_id="answer_privacy_request",
    summary="Answer a privacy request",
)
def answer_privacy_request(request: HttpRequest, request_id: Id, body: AnswerIn) -> RequestOut:
    """Once. A whole shop is forgotten in the background, one after the other: `handled_at` says when all are."""
    who, now = actor(request), dt.datetime.now(dt.UTC)
    who.scope_for(Capability.WEBHOOKS_MANAGE)
    asked = PrivacyRequest.objects.select_related("address").filter(pk=request_id).first()
    if asked is None:
        raise NotFound
    if body.outcome == "erased":
        who.scope_for(Capability.CUSTOMER_ERASE)
        if asked.kind == "erase_shop":
            if not may_forget_the_shop(asked, name=body.confirm_shop):
                raise Invalid(field="confirm_shop", reason="type the name of the shop's address")
            jobs.forget_shop.defer(
                request_id=asked.pk, staff_id=who.staff.pk if who.staff else 0, key_id=who.key.pk if who.key else 0
            )
            return _asked(asked)
        forget_whom_it_names(asked, body.confirm, by=actors.by(request), now=now)
    else:
        refuse_answered(asked)
        if body.outcome == "exported" and (asked.kind != "export" or not asked.customer_ids):
            raise Invalid(field="outcome", reason="this request asks for nobody's data")
        if body.outcome == "nobody" and asked.customer_ids and asked.kind != "erase_shop":
            raise Invalid(field="outcome", reason="somebody is known here: see customer_ids")
        close(asked, body.outcome, by=actors.by(request), now=now)
    asked.refresh_from_db()
    return _asked(asked)


def _asked(one: PrivacyRequest) -> RequestOut:
    return RequestOut(
        id=one.pk,
        address_id=one.address_id,
        kind=one.kind,  # type: ignore[arg-type]  # of the source
        external_id=one.external_id,
        customer_ids=list(one.customer_ids),
        would_erase=len(known_only_by(one.address)) if one.kind == "erase_shop" and one.handled_at is None else None,
        received_at=one.received_at,
        answer_until=one.received_at + ANSWER_WITHIN,
        handled_at=one.handled_at,
    )


@router.get("", response=list[AddressOut], operation_id="get_webhooks", summary="Addresses")
def get_webhooks(request: HttpRequest) -> list[AddressOut]:
    """All addresses, with their places and what they refused in the last seven days."""
    actor(request).scope_for(Capability.WEBHOOKS_MANAGE)
    now = dt.datetime.now(dt.UTC)
    return [_shown(one, now) for one in addresses(now=now)]


@router.post(
    "",
    response={201: MadeOut},
    operation_id="post_webhook",
    summary="Make an address",
)
def post_webhook(request: HttpRequest, body: AddressIn) -> MadeOut:
    """Make an address. Its secret is in this answer only, and so the answer is not kept for repetitions."""
    who, now = actor(request), dt.datetime.now(dt.UTC)
    who.scope_for(Capability.WEBHOOKS_MANAGE)
    address, secret = make_address(**body.model_dump(), created_by=who.staff, by=actors.by(request), now=now)
    return MadeOut(**_shown(address, now).model_dump(), secret=secret)


@router.patch("/{address_id}", response=AddressOut, operation_id="patch_webhook", summary="Change an address")
def patch_webhook(request: HttpRequest, address_id: Id, body: AddressChange) -> AddressOut:
    """Rename, limit, close or open an address."""
    address, now = _mine(request, address_id), dt.datetime.now(dt.UTC)
    change_address(address, **body.model_dump(), by=actors.by(request), now=now)
    receive.forget_known()
    return _shown(address, now)


@router.post("/{address_id}/rotate", response=MadeOut, operation_id="rotate_webhook", summary="Change the secret")
def rotate_webhook(request: HttpRequest, address_id: Id, body: Rotation) -> MadeOut:
    """A new secret; the old one opens too for 24 hours."""
    address, now = _mine(request, address_id), dt.datetime.now(dt.UTC)
    secret = rotate_secret(address, secret=body.secret, by=actors.by(request), now=now)
    receive.forget_known()
    return MadeOut(**_shown(address, now).model_dump(), secret=secret)


@router.post(
    "/{address_id}/places",
    response=WokenOut,
    operation_id="map_webhook_place",
    summary="Say which store a place is",
)
def map_webhook_place(request: HttpRequest, address_id: Id, body: PlaceIn) -> WokenOut:
    """Deliveries of the place that waited for this go in."""
    address = _mine(request, address_id)
    store = Store.objects.for_scope(CHAIN_WIDE).filter(code=body.store).first() if body.store is not None else None
    if body.store is not None and store is None:
        raise UnknownStore(value=body.store)
    return WokenOut(
        deliveries=map_place(address, body.place, store, by=actors.by(request), now=dt.datetime.now(dt.UTC))
    )


@router.get(
    "/{address_id}/deliveries",
    response=Page[DeliveryOut],
    operation_id="get_webhook_deliveries",
    summary="What came in",
)
def get_webhook_deliveries(request: HttpRequest, address_id: Id, part: Query[PageQuery]) -> dict[str, Any]:
    """Deliveries of an address, the latest first."""
    rows = WebhookDelivery.objects.filter(address=_mine(request, address_id)).defer("letter")
    if (after := position(part.cursor, int)) is not None:
        rows = rows.filter(pk__lt=after[0])
    found = list(rows.order_by("-id")[: part.limit + 1])
    whole = WebhookDelivery.objects.filter(pk__in=[one.pk for one in found], letter__isnull=False)
    there = set(whole.values_list("pk", flat=True))
    return page(found, part.limit, ends=lambda one: [one.pk], show=lambda one: _delivery(one, one.pk in there))


@router.post(
    "/{address_id}/deliveries/{delivery_id}/replay",
    response=ReplayOut,
    operation_id="replay_webhook_delivery",
    summary="Read a delivery again",
)
def replay_webhook_delivery(request: HttpRequest, address_id: Id, delivery_id: Id) -> ReplayOut:
    """Read it again, as after a mended catalogue. Facts that are in are known by their keys."""
    return ReplayOut(is_queued=queue_again(delivery_of(_mine(request, address_id), delivery_id)))


def _mine(request: HttpRequest, address_id: int) -> WebhookAddress:
    actor(request).scope_for(Capability.WEBHOOKS_MANAGE)
    return address_of(address_id)


def _shown(one: WebhookAddress, now: dt.datetime) -> AddressOut:
    return AddressOut(
        id=one.pk,
        source=one.source,
        receipt_source=one.receipt_source,
        name=one.name,
        path=one.path,
        is_active=one.is_active,
        allowed_networks=list(one.allowed_networks),
        keep_days=one.keep_days,
        places=[
            PlaceOut(place=place.place, name=place.name, store=place.store.code if place.store else None)
            for place in one.places.select_related("store")
        ],
        refused_this_week=[RefusalsOut(reason=reason, times=times) for reason, times in refusals(one, now=now)],
    )


def _delivery(one: WebhookDelivery, can_replay: bool) -> DeliveryOut:
    return DeliveryOut(
        id=one.pk,
        delivery_id=one.delivery_id,
        topic=one.topic,
        state=one.state,  # type: ignore[arg-type]  # the choices of the column
        reason=one.reason,
        detail=one.detail,
        created=one.created_count,
        can_replay=can_replay,
        received_at=one.received_at,
        processed_at=one.processed_at,
    )
