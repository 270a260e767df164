"""Receipts in: sales, uses of cards and stored value, returns."""

import datetime as dt
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, SkipValidation

from changke.facts.purchases.rules import NO_NEW_MONEY, Paid
from changke.facts.purchases.services.newcomers import NewReceipt
from changke.facts.purchases.services.receive import receive
from changke.facts.purchases.services.record import MOST_LINES, NewLine
from changke.facts.purchases.services.void import restore, void
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import ClientId, Code, Input, Line200, Minor, Moment, Storable, text
from changke.interfaces.api.v1.batches import Batch, Many, Report
from changke.interfaces.api.v1.people import CustomerRef
from changke.interfaces.api.v1.places import Named

router = Router(tags=["purchases"])

Milli = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]


class LineIn(Input):
    """What was sold, used or given back."""

    item: Code | None = Field(None, description="Code of the catalogue; it knows kind, cost and margin.")
    description: Line200 = Field("", description="What the receipt prints, where there is no item.")
    kind: Literal["service", "product", "card", "topup", "other"] = Field(
        "other", description="Without an item: cards and top-ups bring money in but render nothing yet."
    )
    quantity_milli: Milli = Field(1000, description="Thousandths: 1000 is one piece, 500 half a metre.")
    unit_price_minor: Minor | None = None
    amount_minor: Minor = Field(..., description="The line after discounts, in minor units; never negative.")


class TenderIn(Input):
    """How a part of it was paid, or paid back."""

    kind: Literal["cash", "card", "wechat", "alipay", "stored_value", "session", "points", "other"]
    amount_minor: Minor


class PurchaseIn(Input):
    """One receipt. Its `number`, or your own `id`, makes it known again: sent twice, it counts once."""

    kind: Literal["sale", "use", "return"] = Field(
        "sale", description="`use`: paid wholly by stored value, sessions or points. `return`: amounts given back."
    )
    number: ClientId | None = Field(None, description="The receipt's number, unique in the store and source.")
    id: ClientId | None = Field(None, description="Your own id of it, where the till prints no numbers.")
    source: Code = Field("api", description="Which system speaks. A return finds its purchase in the same source.")
    store: Code = Field(..., description="Code of the store.")
    happened_at: Moment = Field(..., description="With its zone.")
    customer: CustomerRef | None = Field(None, description="Left out, the receipt counts for the store only.")
    staff: Code | None = Field(None, description="Code of whoever served her.")
    currency: str | None = Field(None, description="If given it must be the chain's.")
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=MOST_LINES)]
    tenders: Annotated[list[TenderIn], Field(max_length=50)] = Field(
        [], description="Together as much as the lines. Left out: paid with new money (a use: with sessions)."
    )
    original_number: Annotated[str, text(80), Storable] = Field(
        "", description="Of a return: the receipt it gives back, which may come later."
    )

    def tendered(self) -> list[Paid]:
        if self.kind == "use" and not self.tenders:
            return [Paid("session", sum(line.amount_minor for line in self.lines))]
        if self.kind == "use" and any(paid.kind not in NO_NEW_MONEY for paid in self.tenders):
            raise Invalid(field="tenders", reason="a use is paid by stored value, sessions or points only")
        return [Paid(paid.kind, paid.amount_minor) for paid in self.tenders]


class PurchaseBatch(Input):
    """Up to 1,000 receipts."""

    purchases: Annotated[list[Annotated[PurchaseIn, SkipValidation]], Many]

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "purchases": [
                        {
                            "number": "JA-20260301-0007",
                            "store": "JA",
                            "happened_at": "2026-03-01T12:30:00+08:00",
                            "customer": {"phone": "138 0000 7831", "name": "张三"},
                            "currency": "CNY",
                            "lines": [{"item": "F1", "amount_minor": 28800}],
                            "tenders": [{"kind": "wechat", "amount_minor": 28800}],
                        }
                    ]
                }
            ]
        }
    }


@router.post("", response=Report, operation_id="post_purchases", summary="Record receipts")
def post_purchases(request: HttpRequest, body: PurchaseBatch) -> Report:
    """Record up to 1,000 receipts. Each is judged on its own; a repeated one is skipped, one that has the number of
    another but different contents is refused. A return may come before its purchase."""
    batch, scope = Batch(body.purchases, PurchaseIn), actor(request).scope_for(Capability.FACTS_RECORD)
    named = Named(
        the_chain(),
        scope,
        stores=[one.store for one in batch],
        staff=[one.staff for one in batch],
        items=[line.item for one in batch for line in one.lines],
    )
    return batch.take_in(
        lambda one: new_receipt(one, named),
        lambda receipts: receive(receipts, scope=scope, now=dt.datetime.now(dt.UTC)),
    )


def new_receipt(one: PurchaseIn, named: Named) -> NewReceipt:
    store = named.store(one.store)
    named.check_currency(one.currency)
    if one.number is None and one.id is None:
        raise Invalid(field="number", reason="send the receipt's number, or an id of your own")
    if one.kind != "return" and one.original_number:
        raise Invalid(field="original_number", reason="only a return gives a receipt back")
    return NewReceipt(
        store=store,
        source=one.source,
        source_key=_source_key(one, store.pk),
        happened_at=one.happened_at,
        lines=[
            NewLine(
                amount_minor=line.amount_minor,
                item=named.item(line.item),
                description=line.description,
                quantity_milli=line.quantity_milli,
                unit_price_minor=line.unit_price_minor,
                kind=line.kind,
            )
            for line in one.lines
        ],
        tenders=one.tendered(),
        is_return=one.kind == "return",
        number=one.number or "",
        original_number=one.original_number,
        who=one.customer.reference() if one.customer else None,
        name=one.customer.name if one.customer else "",
        staff_id=named.staff_id(one.staff),
    )


def _source_key(one: PurchaseIn, store_id: int) -> str:
    """By number as the files' import names it, so that a file and the API know each other's receipts.

    A till may print the number of the sale on its return: the two are receipts of their own.
    """
    name = f"api:{one.source}:{store_id}:{one.id}" if one.number is None else f"n:{one.source}:{store_id}:{one.number}"
    return name + (":r" if one.kind == "return" else "")


class VoidIn(Input):
    """Why it is taken back."""

    reason: Annotated[str, text(200), Storable] = Field("", description="For whoever looks later, such as `mistyped`.")


class VoidOut(Schema):
    """The receipt that was taken back, or put back: then it has a new id."""

    id: int
    is_void: bool


@router.post(
    "/{int:receipt_id}/void", response=VoidOut, operation_id="void_purchase", summary="Take a mistaken receipt back"
)
def void_purchase(request: HttpRequest, receipt_id: int, body: VoidIn) -> VoidOut:
    """Of a receipt recorded today, by hand or through the API, that never happened: it leaves every number. What did
    happen and was undone is a `return`. Within 15 minutes it can be put back."""
    asking = actor(request)
    now = dt.datetime.now(dt.UTC)
    scope = asking.scope_for(Capability.FACTS_RECORD)
    gone = void(receipt_id, scope=scope, staff=asking.staff, by=by(request), reason=body.reason, now=now)
    return VoidOut(id=gone.pk, is_void=True)


@router.post(
    "/{int:receipt_id}/restore", response=VoidOut, operation_id="restore_purchase", summary="Put it back after all"
)
def restore_purchase(request: HttpRequest, receipt_id: int) -> VoidOut:
    """Record the receipt once more as it was, within 15 minutes; under a new id, because a fact is never edited. Safe
    to repeat."""
    scope = actor(request).scope_for(Capability.FACTS_RECORD)
    again, _is_new = restore(receipt_id, scope=scope, by=by(request), now=dt.datetime.now(dt.UTC))
    return VoidOut(id=again.pk, is_void=False)
