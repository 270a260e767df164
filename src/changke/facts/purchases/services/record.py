"""A receipt, by hand or from a machine: one transaction, rolled up once."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from changke.facts.catalog.models import Item
from changke.facts.customers.models import Customer
from changke.facts.purchases import rules
from changke.facts.purchases.models import Line, Receipt, ReceiptKind, Tender, TenderKind
from changke.facts.purchases.services.give_back import MoreThanLeft, NewReturn, exceeding
from changke.foundation.access.models import Staff
from changke.foundation.database.append_only import current_xid
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.intake import check_moment
from changke.foundation.money import LARGEST_MINOR
from changke.foundation.organisation.models import Store
from changke.foundation.periods import business_date

MOST_LINES = 500
MOST_MILLI = 1_000_000 * 1000
TENDERS = tuple(TenderKind.values)


class ReceiptNumberTaken(DomainError):
    code, status = "receipt_number_taken", 409
    message = "Receipt %(number)s of this store is already recorded with other contents. Give it another number."


@dataclass(frozen=True)
class NewLine:
    """One line of a receipt to be. `item` or `description` says what; amounts in minor units."""

    amount_minor: int
    item: Item | None = None
    description: str = ""
    quantity_milli: int = 1000
    unit_price_minor: int | None = None
    kind: str = "other"
    """What a line without an item of the catalogue is: service, product, card, topup or other."""


@transaction.atomic
def record_receipt(
    *,
    store: Store,
    customer: Customer | None,
    lines: Sequence[NewLine],
    tenders: Sequence[rules.Paid] = (),
    is_return: bool = False,
    original_number: str = "",
    number: str = "",
    source: str = "hand",
    source_key: str,
    staff: Staff | None = None,
    happened_at: dt.datetime,
    now: dt.datetime,
) -> tuple[Receipt, bool]:
    """Record what the till printed; the receipt and whether it is new.

    Safe to repeat: the same source key gets the same receipt. A return may come before its purchase: the two meet by
    number.
    """
    check_moment(happened_at, now=now)
    check_contents(lines, tenders)
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [source_key])
    sold = [sold_line(line) for line in lines]
    rolled = rules.reckon(sold, tenders, is_return=is_return)
    day = business_date(happened_at, store.time_zone)
    if existing := Receipt.objects.filter(source_key=source_key, withdrawn_by__isnull=True).first():
        same = (existing.kind, existing.cash_minor, existing.consumed_minor, existing.business_date)
        if same != (rolled.kind, rolled.cash_minor, rolled.consumed_minor, day):
            raise ReceiptNumberTaken(number=number or source_key)
        return existing, False
    if is_return:
        back = sum(line.amount_minor for line in lines)
        customer_id = None if customer is None else customer.pk
        over = exceeding([NewReturn(source_key, source, store.pk, customer_id, original_number, back)])
        if source_key in over:
            raise MoreThanLeft(over[source_key])
    if customer is not None:
        Customer.objects.filter(pk=customer.pk, known_on__gt=day).update(known_on=day, txid=current_xid())
    receipt = Receipt.objects.create(
        kind=ReceiptKind(rolled.kind),
        number=number,
        source=source,
        customer=customer,
        store=store,
        staff=staff,
        original_number=original_number,
        cash_minor=rolled.cash_minor,
        consumed_minor=rolled.consumed_minor,
        margin_minor=rolled.margin_minor,
        margin_basis=rolled.margin_basis,
        items=rolled.items,
        happened_at=happened_at,
        business_date=day,
        recorded_at=now,
        source_key=source_key,
    )
    Line.objects.bulk_create(
        _line(receipt, position, line, one) for position, (line, one) in enumerate(zip(lines, sold, strict=True), 1)
    )
    Tender.objects.bulk_create(
        Tender(receipt=receipt, kind=TenderKind(paid.kind), amount_minor=paid.amount_minor) for paid in tenders
    )
    return receipt, True


def check_contents(lines: Sequence[NewLine], tenders: Sequence[rules.Paid]) -> None:
    """Refuse what no till prints: nothing sold, absurd or negative amounts, another sum paid than sold."""
    if not lines:
        raise Invalid(field="lines", reason="a receipt has at least one line")
    if len(lines) > MOST_LINES:
        raise Invalid(field="lines", reason="at most %(most)s lines on a receipt", most=MOST_LINES)
    for line in lines:
        if not 0 <= line.amount_minor <= LARGEST_MINOR:
            raise Invalid(field="amount", reason="must lie between 0 and 10,000,000; what is given back is a return")
        if not 0 < line.quantity_milli <= MOST_MILLI:
            raise Invalid(field="quantity", reason="must be above 0 and at most 1,000,000")
        if not 0 <= (line.unit_price_minor or 0) <= LARGEST_MINOR:
            raise Invalid(field="unit_price", reason="must lie between 0 and 10,000,000")
    for paid in tenders:
        if paid.kind not in TENDERS:
            raise Invalid(field="tender", reason="choose one of %(choices)s", choices=", ".join(TENDERS))
        if paid.amount_minor < 0:
            raise Invalid(field="tender", reason="must not be negative")
    if tenders and sum(paid.amount_minor for paid in tenders) != sum(line.amount_minor for line in lines):
        raise Invalid(field="tenders", reason="what was paid and what was sold differ")


def sold_line(line: NewLine) -> rules.SoldLine:
    """The line with what the catalogue knows of its item: kind, cost, margin of the category."""
    item = line.item
    cost = None
    if item is not None and item.unit_cost_minor is not None:
        cost = item.unit_cost_minor * line.quantity_milli // 1000
    margin = item.category.margin_basis_points if item is not None and item.category is not None else None
    return rules.SoldLine(
        item_kind=item.kind if item else line.kind,
        amount_minor=line.amount_minor,
        quantity_milli=line.quantity_milli,
        cost_minor=cost,
        margin_basis_points=margin,
    )


def _line(receipt: Receipt, position: int, line: NewLine, sold: rules.SoldLine) -> Line:
    return Line(
        receipt=receipt,
        position=position,
        item=line.item,
        description=line.description[:200],
        quantity_milli=line.quantity_milli,
        amount_minor=line.amount_minor,
        cost_minor=sold.cost_minor,
        unit_price_minor=unit_price(line),
    )


def unit_price(line: NewLine) -> int:
    """As the till says, else what one whole piece came to."""
    if line.unit_price_minor is None:
        return line.amount_minor * 1000 // line.quantity_milli
    return line.unit_price_minor
