"""What happened with one customer: purchases, visits, events, the latest first.

A scope chooses whom one sees, never a different story about her: her facts in other stores are told too.
"""

import datetime as dt
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from changke.facts.customers.queries import customer_in, family_of
from changke.facts.events.models import Event
from changke.facts.purchases.models import MarginBasis, Receipt, ReceiptKind
from changke.facts.visits.models import Visit
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.api.actors import actor
from changke.interfaces.api.paging import Page, PageQuery, page, position
from changke.profiles.segments.asking import words_of_the_chain
from changke.profiles.segments.models import SegmentMember
from changke.profiles.segments.moves import stays_of

router = Router(tags=["customers"])


class LineOut(Schema):
    item: str | None
    description: str
    quantity_milli: int
    unit_price_minor: int
    amount_minor: int


class TenderOut(Schema):
    kind: str
    amount_minor: int


class PurchaseOut(Schema):
    """A receipt. `cash_minor` is money received, `consumed_minor` the value rendered; of a return both mean "back"."""

    id: int
    kind: ReceiptKind
    number: str
    original_number: str
    source: str
    store: str
    staff_id: int | None
    happened_at: dt.datetime
    business_date: dt.date
    currency: str
    cash_minor: int
    consumed_minor: int
    margin_minor: int | None
    margin_basis: MarginBasis
    lines: list[LineOut]
    tenders: list[TenderOut]


class VisitOut(Schema):
    id: int
    store: str
    staff_id: int | None
    purpose: str
    source: str
    happened_at: dt.datetime
    business_date: dt.date


class EventOut(Schema):
    id: int
    kind: str
    store: str | None
    staff_id: int | None
    data: dict[str, Any]
    happened_at: dt.datetime
    business_date: dt.date


@router.get(
    "/{int:customer_id}/purchases",
    response=Page[PurchaseOut],
    operation_id="get_customer_purchases",
    summary="Her purchases",
)
def get_purchases(request: HttpRequest, customer_id: int, part: Query[PageQuery]) -> dict[str, Any]:
    """Her receipts, the latest business day first, with lines and tenders. Withdrawn ones are not told."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id)
    currency = the_chain().currency
    rows = Receipt.objects.filter(customer__in=family_of(customer.pk), withdrawn_by__isnull=True)
    rows = rows.filter(_before(part, "business_date")).order_by("-business_date", "-id")
    found = list(rows.select_related("store").prefetch_related("lines__item", "tenders")[: part.limit + 1])
    return page(found, part.limit, ends=_by_day, show=lambda one: _purchase(one, currency))


@router.get(
    "/{int:customer_id}/visits", response=Page[VisitOut], operation_id="get_customer_visits", summary="Her visits"
)
def get_visits(request: HttpRequest, customer_id: int, part: Query[PageQuery]) -> dict[str, Any]:
    """Her recorded visits, the latest business day first. Receipts imply visits that are not repeated here."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id)
    rows = Visit.objects.filter(customer__in=family_of(customer.pk), withdrawn_by__isnull=True)
    rows = rows.filter(_before(part, "business_date")).order_by("-business_date", "-id")
    return page(list(rows.select_related("store")[: part.limit + 1]), part.limit, ends=_by_day, show=_visit)


@router.get(
    "/{int:customer_id}/events", response=Page[EventOut], operation_id="get_customer_events", summary="Her events"
)
def get_events(request: HttpRequest, customer_id: int, part: Query[PageQuery]) -> dict[str, Any]:
    """Everything else that happened with her, the latest first: stage changes, follow-ups, complaints."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id)
    rows = Event.objects.filter(customer__in=family_of(customer.pk), withdrawn_by__isnull=True)
    rows = rows.filter(_before(part, "happened_at")).order_by("-happened_at", "-id")
    found = list(rows.select_related("store")[: part.limit + 1])
    return page(found, part.limit, ends=lambda one: [one.happened_at.isoformat(), one.pk], show=_event)


WHY = "`fact`, `import`, `refresh`, `publish`, `freeze`, `untrack`, `drop`; empty: not known."
VERSION = "Of the segment: another condition is another version. 0: not known."


class StayOut(Schema):
    segment: str = Field(..., description="Key of the segment.")
    name: str
    entered_at: dt.datetime
    entered_why: str = Field(..., description=WHY)
    entered_version: int = Field(..., description=VERSION)
    left_at: dt.datetime | None = Field(None, description="null: she is in it.")
    left_why: str = Field(..., description=WHY)
    left_version: int | None = Field(None, description=VERSION)
    is_dropped: bool = Field(..., description="The segment is gone.")


@router.get(
    "/{int:customer_id}/segments", response=Page[StayOut], operation_id="get_customer_segments", summary="Her segments"
)
def get_stays(request: HttpRequest, customer_id: int, part: Query[PageQuery]) -> dict[str, Any]:
    """The tracked segments and frozen lists she is and was in, the latest entry first; of those that your role may know
    of."""
    who = actor(request)
    customer = customer_in(who.scope_for(Capability.CUSTOMER_VIEW), customer_id)
    words = words_of_the_chain(role=who.who.role)
    rows = stays_of(family_of(customer.pk), words).filter(_before(part, "entered_at")).order_by("-entered_at", "-id")
    return page(
        list(rows[: part.limit + 1]), part.limit, ends=lambda one: [one.entered_at.isoformat(), one.pk], show=_stay
    )


def _stay(one: SegmentMember) -> StayOut:
    return StayOut(
        segment=one.segment.key,
        name=one.segment.name,
        entered_at=one.entered_at,
        entered_why=one.entered_why,
        entered_version=one.entered_version,
        left_at=one.left_at,
        left_why=one.left_why,
        left_version=one.left_version,
        is_dropped=one.segment.dropped_at is not None,
    )


def _before(part: PageQuery, column: str) -> Q:
    """Rows after the last one shown, in the order of time and id, both falling."""
    after = position(part.cursor, str, int)
    if after is None:
        return Q()
    try:
        moment = dt.date.fromisoformat(after[0]) if column == "business_date" else dt.datetime.fromisoformat(after[0])
    except ValueError:
        raise Invalid(field="cursor", reason="is not a cursor of this list: send `next` of the page before") from None
    return Q(**{f"{column}__lt": moment}) | Q(**{column: moment, "id__lt": after[1]})


def _by_day(one: Receipt | Visit) -> list[Any]:
    return [one.business_date.isoformat(), one.pk]


def _purchase(one: Receipt, currency: str) -> PurchaseOut:
    lines = sorted(one.lines.all(), key=lambda line: line.position)
    return PurchaseOut(
        id=one.pk,
        kind=ReceiptKind(one.kind),
        number=one.number,
        original_number=one.original_number,
        source=one.source,
        store=one.store.code,
        staff_id=one.staff_id,
        happened_at=one.happened_at,
        business_date=one.business_date,
        currency=currency,
        cash_minor=one.cash_minor,
        consumed_minor=one.consumed_minor,
        margin_minor=one.margin_minor,
        margin_basis=MarginBasis(one.margin_basis),
        lines=[
            LineOut(
                item=line.item.code if line.item else None,
                description=line.description,
                quantity_milli=line.quantity_milli,
                unit_price_minor=line.unit_price_minor,
                amount_minor=line.amount_minor,
            )
            for line in lines
        ],
        tenders=[TenderOut(kind=paid.kind, amount_minor=paid.amount_minor) for paid in one.tenders.all()],
    )


def _visit(one: Visit) -> VisitOut:
    return VisitOut(
        id=one.pk,
        store=one.store.code,
        staff_id=one.staff_id,
        purpose=one.purpose,
        source=one.source,
        happened_at=one.happened_at,
        business_date=one.business_date,
    )


def _event(one: Event) -> EventOut:
    return EventOut(
        id=one.pk,
        kind=one.kind,
        store=one.store.code if one.store else None,
        staff_id=one.staff_id,
        data=one.data,
        happened_at=one.happened_at,
        business_date=one.business_date,
    )
