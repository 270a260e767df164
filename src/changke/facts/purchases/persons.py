"""What this room knows of a person. Money that was paid stays under her bare number: the books need it."""

from collections.abc import Iterator, Sequence

from changke.facts.purchases.models import Opening, Receipt
from changke.foundation.batches.models import Batch
from changke.foundation.batches.services import VOID, keep_clean
from changke.foundation.persons.registry import PersonTable, Row, register

RECEIPT = ("kind", "number", "source", "happened_at", "business_date", "cash_minor", "consumed_minor")
LINE = ("description", "quantity_milli", "unit_price_minor", "amount_minor")


def purchases(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Receipt.objects.filter(customer_id__in=customer_ids, withdrawn_by__isnull=True)
    rows = (
        rows.select_related("store", "staff").prefetch_related("lines__item", "tenders").order_by("happened_at", "pk")
    )
    for one in rows.iterator(chunk_size=500):
        yield {
            "customer_id": one.customer_id,
            **{field: getattr(one, field) for field in RECEIPT},
            "store": one.store.name,
            "staff": one.staff.name if one.staff else "",
            "lines": [
                {"item": line.item.name if line.item else "", **{field: getattr(line, field) for field in LINE}}
                for line in one.lines.all()
            ],
            "tenders": [{"kind": tender.kind, "amount_minor": tender.amount_minor} for tender in one.tenders.all()],
        }


def openings(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Opening.objects.filter(customer_id__in=customer_ids, withdrawn_by__isnull=True).order_by("first_on", "pk")
    yield from rows.values("customer_id", "store__name", "first_on", "last_on", "purchases", "cash_minor")


def taken_back(customer_ids: Sequence[int]) -> Iterator[Row]:
    """Why receipts of hers were taken back, as somebody wrote it."""
    gone = Receipt.objects.filter(customer_id__in=customer_ids, withdrawn_by__kind=VOID).select_related("withdrawn_by")
    for one in gone.order_by("happened_at", "pk"):
        reason = one.withdrawn_by.options.get("reason", "") if one.withdrawn_by else ""
        yield {"customer_id": one.customer_id, "number": one.number, "reason": reason}


def blank_reasons(customer_ids: Sequence[int]) -> int:
    """A receipt that was taken back stays so; what somebody wrote about it goes."""
    why = Batch.objects.filter(
        kind=VOID, pk__in=Receipt.objects.filter(customer_id__in=customer_ids).values("withdrawn_by")
    )
    written = [pk for pk, options in why.values_list("pk", "options") if options.get("reason")]
    for batch_id in written:
        keep_clean(batch_id, {"reason": ""})
    return len(written)


register(PersonTable("taken_back", ("foundation_batch",), taken_back, blank_reasons))
register(PersonTable("purchases", ("facts_receipt", "facts_line", "facts_tender"), purchases, stays="books"))
register(PersonTable("openings", ("facts_opening",), openings, stays="books"))
