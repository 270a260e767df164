"""Returns whose purchase has not come yet: kept until it does. The order in which machines send must not matter."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from changke.facts.catalog.models import Item
from changke.facts.purchases import rules
from changke.facts.purchases.models import WaitingReturn
from changke.facts.purchases.services.newcomers import NewReceipt
from changke.facts.purchases.services.record import NewLine
from changke.foundation.database.rows import insert

Purchase = tuple[int, str, str]
"""How a return names its purchase: store, source, number."""

COLUMNS = {
    "store_id": "bigint",
    "source": "text",
    "original_number": "text",
    "source_key": "text",
    "number": "text",
    "amount_minor": "bigint",
    "happened_at": "timestamptz",
    "waiting_since": "timestamptz",
    "told": "jsonb",
    "refusal": "text",
}


def hold(receipts: Sequence[NewReceipt], *, now: dt.datetime) -> dict[str, dict[str, Any]]:
    """Keep these returns until their purchases come. What was kept under their keys before them, if it differs, by key:
    of two under one key the first counts."""
    rows = {one.source_key: one for one in reversed(receipts)}
    written = insert(
        "facts_waitingreturn",
        COLUMNS,
        [_row(one, now) for _, one in sorted(rows.items())],
        once="(source_key)",
        returning=["source_key"],
    )
    old = set(rows) - {key for (key,) in written}
    return dict(WaitingReturn.objects.filter(source_key__in=old).values_list("source_key", "told"))


def waiting_for(purchases: Iterable[Purchase]) -> list[WaitingReturn]:
    """Returns that wait for one of these, the earliest first; nobody else may settle them meanwhile."""
    wanted = list(purchases)
    if not wanted or not WaitingReturn.objects.exists():
        return []
    stores, sources, numbers = (list(column) for column in zip(*wanted, strict=True))
    with connection.cursor() as sql:
        sql.execute(
            """
            SELECT waiting.id FROM facts_waitingreturn AS waiting
            JOIN unnest(%s::bigint[], %s::text[], %s::text[]) AS came (store_id, source, number)
              ON waiting.original_number = came.number AND waiting.store_id = came.store_id
             AND waiting.source = came.source
            FOR UPDATE OF waiting SKIP LOCKED
            """,
            [stores, sources, numbers],
        )
        ids = [pk for (pk,) in sql.fetchall()]
    return list(WaitingReturn.objects.filter(pk__in=ids).select_related("store").order_by("happened_at", "source_key"))


def whose_purchase_came() -> list[Purchase]:
    """Purchases that are there although returns still wait for them: they came by a file, or at the same moment."""
    with connection.cursor() as sql:
        sql.execute(
            """
            SELECT DISTINCT waiting.store_id, waiting.source, waiting.original_number
            FROM facts_waitingreturn AS waiting
            JOIN facts_receipt AS came ON came.number = waiting.original_number AND came.number <> ''
             AND came.store_id = waiting.store_id AND came.source = waiting.source
            WHERE came.kind <> 'return' AND came.withdrawn_by_id IS NULL AND waiting.refusal = ''
            LIMIT 1000
            """
        )
        return [(int(store), str(source), str(number)) for store, source, number in sql.fetchall()]


def awake(rows: Sequence[WaitingReturn]) -> list[NewReceipt]:
    """The returns as they were told."""
    items = {line["item"] for row in rows for line in row.told["lines"]} - {None}
    known = {one.pk: one for one in Item.objects.select_related("category").filter(pk__in=items)}
    return [
        NewReceipt(
            store=row.store,
            source=row.source,
            source_key=row.source_key,
            happened_at=row.happened_at,
            lines=[NewLine(**{**line, "item": known.get(line["item"])}) for line in row.told["lines"]],
            tenders=[rules.Paid(kind, amount) for kind, amount in row.told["tenders"]],
            is_return=True,
            number=row.number,
            original_number=row.original_number,
            staff_id=row.told["staff"],
        )
        for row in rows
    ]


def told(receipt: NewReceipt) -> dict[str, Any]:
    """What has to be remembered of a return, and what makes two of them the same."""
    return {
        "lines": [
            {
                "amount_minor": line.amount_minor,
                "item": line.item.pk if line.item else None,
                "description": line.description,
                "quantity_milli": line.quantity_milli,
                "unit_price_minor": line.unit_price_minor,
                "kind": line.kind,
            }
            for line in receipt.lines
        ],
        "tenders": [[paid.kind, paid.amount_minor] for paid in receipt.tenders],
        "staff": receipt.staff_id,
    }


def _row(receipt: NewReceipt, now: dt.datetime) -> tuple[object, ...]:
    return (
        receipt.store.pk,
        receipt.source,
        receipt.original_number,
        receipt.source_key,
        receipt.number,
        sum(line.amount_minor for line in receipt.lines),
        receipt.happened_at,
        now,
        json.dumps(told(receipt)),
        "",
    )
