"""Receipts by the thousand: COPY into a staging table, from there into the facts in one piece, or, where some are known
already, one by one. COPY into the facts themselves is no way: it knows no row-level security.

The importer rolls up, names (`source_key`) and numbers (`id`, reserved here before); this room writes and says what
became of each receipt. The columns of the files are the columns below, in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import IntegrityError, connection, transaction
from psycopg.errors import UniqueViolation

from changke.facts.purchases.models import Receipt
from changke.facts.purchases.services.give_back import NewReturn, exceeding
from changke.foundation.database.copy import copy_file, reserve_ids, staging

RECEIPT = """
    id bigint, happened_at timestamptz, business_date date, recorded_at timestamptz, source_key text, batch_id bigint,
    kind text, number text, source text, customer_id bigint, store_id bigint, staff_id bigint, original_number text,
    cash_minor bigint, consumed_minor bigint, margin_minor bigint, margin_basis text, items integer
"""
LINE = """
    receipt_id bigint, position integer, item_id bigint, description text, quantity_milli bigint,
    unit_price_minor bigint, amount_minor bigint, cost_minor bigint
"""
TENDER = "receipt_id bigint, kind text, amount_minor bigint"
TABLES = {"facts_receipt": RECEIPT, "facts_line": LINE, "facts_tender": TENDER}


def names_of(columns: str) -> str:
    """`id bigint, kind text` -> `id, kind`."""
    return ", ".join(column.split()[0] for column in columns.split(","))


@dataclass(frozen=True)
class ReceiptFiles:
    """One chunk: whole receipts with their lines and tenders, as CSV without header, each under its reserved id."""

    receipts: Path
    lines: Path
    tenders: Path

    @property
    def by_table(self) -> dict[str, Path]:
        return dict(zip(TABLES, (self.receipts, self.lines, self.tenders), strict=True))


@dataclass(frozen=True)
class TakenIn:
    """Ids of the receipts that were not new: `known` of this batch from before it was killed, `skipped` because another
    batch or the till brought the same, `differing` because they say something else and are refused."""

    known: tuple[int, ...] = ()
    skipped: tuple[int, ...] = ()
    differing: tuple[int, ...] = ()
    exceeding: tuple[tuple[int, int], ...] = ()
    """Ids of returns that give back more than is left, and what was left of their receipt in minor units."""


def reserve(count: int) -> list[int]:
    """Ids for receipts that are about to be written. One that turns out to be known leaves a gap, which costs
    nothing."""
    return reserve_ids("facts_receipt", count)


def known(keys: Sequence[str], *, batch_id: int) -> int:
    """How many of these receipts the batch wrote before it was killed."""
    return Receipt.objects.filter(source_key__in=keys, withdrawn_by=None, batch_id=batch_id).count()


def take_in(files: ReceiptFiles, *, batch_id: int) -> TakenIn:
    """Write one chunk of sales and uses, in one transaction. Safe to repeat.

    Nearly always every receipt is new; then nothing is asked and everything goes over as it is. A key that is there
    already refuses the statement: then the chunk goes the careful way.
    """
    try:
        with transaction.atomic():
            _stage(files)
            with connection.cursor() as cursor:
                for table, columns in TABLES.items():
                    names, intake = names_of(columns), table.replace("facts_", "intake_")
                    cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {intake}")  # noqa: S608 ours
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        return take_in_carefully(files, batch_id=batch_id)
    return TakenIn()


def _stage(files: ReceiptFiles) -> None:
    for table, file in files.by_table.items():
        intake = table.replace("facts_", "intake_")
        staging(intake, TABLES[table])
        copy_file(intake, file)


INSERT = f"""
WITH fresh AS (
  INSERT INTO facts_receipt ({names_of(RECEIPT)}) SELECT {names_of(RECEIPT)} FROM intake_receipt ORDER BY id
  ON CONFLICT (source_key) WHERE withdrawn_by_id IS NULL DO NOTHING
  RETURNING id
), lines AS (
  INSERT INTO facts_line ({names_of(LINE)})
  SELECT {names_of(LINE)} FROM intake_line WHERE receipt_id IN (SELECT id FROM fresh)
), tenders AS (
  INSERT INTO facts_tender ({names_of(TENDER)})
  SELECT {names_of(TENDER)} FROM intake_tender WHERE receipt_id IN (SELECT id FROM fresh)
)
SELECT
  CASE
    WHEN old.batch_id = %(batch)s THEN 'known'
    WHEN (old.kind, old.business_date, old.cash_minor, old.consumed_minor, old.items)
       = (intake.kind, intake.business_date, intake.cash_minor, intake.consumed_minor, intake.items)
     AND old.customer_id IS NOT DISTINCT FROM intake.customer_id THEN 'skipped'
    ELSE 'differing'
  END AS outcome, array_agg(intake.id ORDER BY intake.id)
FROM intake_receipt AS intake
JOIN facts_receipt AS old ON old.source_key = intake.source_key AND old.withdrawn_by_id IS NULL
WHERE intake.id NOT IN (SELECT id FROM fresh)
GROUP BY 1
"""  # noqa: S608 the columns are ours


@transaction.atomic
def take_in_carefully(files: ReceiptFiles, *, batch_id: int) -> TakenIn:
    """Leave out known receipts and returns of more than is left, and say which they are. The purchases of the load
    are in before its returns come."""
    _stage(files)
    over = _refuse_exceeding()
    with connection.cursor() as cursor:
        cursor.execute(INSERT, {"batch": batch_id})
        found = {outcome: tuple(ids) for outcome, ids in cursor.fetchall()}
    return TakenIn(**found, exceeding=over)


def _refuse_exceeding() -> tuple[tuple[int, int], ...]:
    """Take returns of more than is left out of the chunk."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, source_key, source, store_id, customer_id, original_number,"
            " (SELECT coalesce(sum(line.amount_minor), 0)::bigint FROM intake_line AS line"
            " WHERE line.receipt_id = intake.id)"
            " FROM intake_receipt AS intake WHERE kind = 'return' AND original_number <> '' ORDER BY id"
        )
        rows = cursor.fetchall()
        over = exceeding([NewReturn(*row[1:]) for row in rows])
        found = tuple((row[0], over[row[1]]) for row in rows if row[1] in over)
        if found:
            cursor.execute("DELETE FROM intake_receipt WHERE id = ANY(%s)", [[pk for pk, _ in found]])
    return found
