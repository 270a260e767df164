"""Receipts by the thousand: COPY into a staging table, from there into the facts, known ones left alone.

The importer rolls up and names (`source_key`); this room writes and says what became of each receipt. The columns of
the
files are the columns of the staging tables, in order.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction

from changke.facts.purchases.services.give_back import NewReturn, exceeding
from changke.foundation.database.copy import copy_file, staging

RECEIPT_COLUMNS = """
    k bigint, rows integer, source_key text, kind text, number text, source text, original_number text,
    customer_id bigint, store_id bigint, staff_id bigint, cash_minor bigint, consumed_minor bigint, margin_minor bigint,
    margin_basis text, items integer, happened_at timestamptz, business_date date
"""
LINE_COLUMNS = """
    k bigint, position integer, item_id bigint, description text, quantity_milli bigint, unit_price_minor bigint,
    amount_minor bigint, cost_minor bigint
"""
TENDER_COLUMNS = "k bigint, kind text, amount_minor bigint"


@dataclass(frozen=True)
class ReceiptFiles:
    """One chunk: whole receipts with their lines and tenders, as CSV. `k` ties them together within the chunk."""

    receipts: Path
    lines: Path
    tenders: Path


@dataclass(frozen=True)
class TakenIn:
    """Rows of the source, not receipts, so that a load's counts add up. `differing` are the `k` of refused receipts."""

    created: int
    skipped: int
    differing: tuple[int, ...]
    exceeding: tuple[tuple[int, int], ...] = ()
    """`k` of returns that give back more than is left, and what was left of their receipt in minor units."""


INSERT = """
WITH fresh AS (
  INSERT INTO facts_receipt (happened_at, business_date, recorded_at, source_key, batch_id, kind, number, source,
  customer_id,
    store_id, staff_id, original_number, cash_minor, consumed_minor, margin_minor, margin_basis, items)
  SELECT happened_at, business_date, %(now)s, source_key, %(batch)s, kind, coalesce(number, ''), coalesce(source, ''),
    customer_id, store_id, staff_id, coalesce(original_number, ''), cash_minor, consumed_minor, margin_minor,
      margin_basis, items
  FROM intake_receipt WHERE (kind = 'return') = %(returns)s ORDER BY k
  ON CONFLICT (source_key) WHERE withdrawn_by_id IS NULL DO NOTHING
  RETURNING id, source_key
), named AS (
  SELECT fresh.id, intake_receipt.k FROM fresh JOIN intake_receipt USING (source_key)
), lines AS (
  INSERT INTO facts_line (receipt_id, position, item_id, description, quantity_milli, unit_price_minor, amount_minor,
  cost_minor)
  SELECT named.id, line.position, line.item_id, coalesce(line.description, ''), line.quantity_milli,
    line.unit_price_minor,
    line.amount_minor, line.cost_minor
  FROM intake_line AS line JOIN named USING (k)
), tenders AS (
  INSERT INTO facts_tender (receipt_id, kind, amount_minor)
  SELECT named.id, tender.kind, tender.amount_minor FROM intake_tender AS tender JOIN named USING (k)
), outcomes AS (
SELECT intake.k, intake.rows,
  CASE
    WHEN named.id IS NOT NULL OR old.batch_id = %(batch)s THEN 'created'
    WHEN (old.kind, old.business_date, old.cash_minor, old.consumed_minor, old.items)
       = (intake.kind, intake.business_date, intake.cash_minor, intake.consumed_minor, intake.items)
     AND old.customer_id IS NOT DISTINCT FROM intake.customer_id THEN 'skipped'
    ELSE 'differs'
  END AS outcome
FROM intake_receipt AS intake
LEFT JOIN named USING (k)
LEFT JOIN facts_receipt AS old
  ON old.source_key = intake.source_key AND old.withdrawn_by_id IS NULL AND named.id IS NULL
WHERE (intake.kind = 'return') = %(returns)s
)
SELECT outcome, sum(rows)::bigint, array_agg(k) FILTER (WHERE outcome = 'differs') FROM outcomes GROUP BY outcome
"""


@transaction.atomic
def take_in(files: ReceiptFiles, *, batch_id: int, now: dt.datetime) -> TakenIn:
    """Write one chunk. Safe to repeat: a receipt of this batch that is there already counts as created again, one of
    another batch or of the till as skipped if it says the same."""
    staging("intake_receipt", RECEIPT_COLUMNS)
    staging("intake_line", LINE_COLUMNS)
    staging("intake_tender", TENDER_COLUMNS)
    copy_file("intake_receipt", files.receipts)
    copy_file("intake_line", files.lines)
    copy_file("intake_tender", files.tenders)
    outcomes = _insert(batch_id, now, returns=False)
    over = _refuse_exceeding()  # now that the purchases of the chunk are in
    outcomes += _insert(batch_id, now, returns=True)
    return TakenIn(
        created=sum(rows for outcome, rows, _ in outcomes if outcome == "created"),
        skipped=sum(rows for outcome, rows, _ in outcomes if outcome == "skipped"),
        differing=tuple(sorted(k for _, _, differing in outcomes for k in differing or ())),
        exceeding=over,
    )


def _insert(batch_id: int, now: dt.datetime, *, returns: bool) -> list[tuple[str, int, list[int] | None]]:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, {"now": now, "batch": batch_id, "returns": returns})
        found: list[tuple[str, int, list[int] | None]] = cursor.fetchall()
        return found


def _refuse_exceeding() -> tuple[tuple[int, int], ...]:
    """Take returns of more than is left out of the chunk. The purchases of the load are in by now: they come first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k, source_key, coalesce(source, ''), store_id, customer_id, original_number,"
            " (SELECT coalesce(sum(line.amount_minor), 0)::bigint FROM intake_line AS line WHERE line.k = intake.k)"
            " FROM intake_receipt AS intake WHERE kind = 'return' AND coalesce(original_number, '') <> '' ORDER BY k"
        )
        rows = cursor.fetchall()
        over = exceeding([NewReturn(*row[1:]) for row in rows])
        found = tuple((row[0], over[row[1]]) for row in rows if row[1] in over)
        if found:
            cursor.execute("DELETE FROM intake_receipt WHERE k = ANY(%s)", [[k for k, _ in found]])
    return found
