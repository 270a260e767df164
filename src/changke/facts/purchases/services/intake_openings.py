"""Openings of an old system by the thousand: one per customer, store and source, known again when they come twice."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from changke.foundation.database.copy import copy_rows, staging

COLUMNS = """
    k bigint, source_key text, customer_id bigint, store_id bigint, first_on date, last_on date, purchases integer,
    cash_minor bigint, happened_at timestamptz
"""


@transaction.atomic
def take_in_openings(rows: Iterable[Sequence[object]], *, batch_id: int, now: dt.datetime) -> dict[int, str]:
    """Write one chunk; `k` -> created, skipped or differs."""
    staging("intake_opening", COLUMNS)
    copy_rows("intake_opening", rows)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH fresh AS (
              INSERT INTO facts_opening (happened_at, business_date, recorded_at, source_key, batch_id, customer_id,
              store_id,
                first_on, last_on, purchases, cash_minor)
              SELECT happened_at, last_on, %(now)s, source_key, %(batch)s, customer_id, store_id, first_on, last_on,
              purchases,
                cash_minor
              FROM intake_opening ORDER BY k
              ON CONFLICT (source_key) WHERE withdrawn_by_id IS NULL DO NOTHING
              RETURNING source_key
            )
            SELECT intake.k,
              CASE
                WHEN fresh.source_key IS NOT NULL OR old.batch_id = %(batch)s THEN 'created'
                WHEN (old.first_on, old.last_on, old.purchases, old.cash_minor)
                   = (intake.first_on, intake.last_on, intake.purchases, intake.cash_minor) THEN 'skipped'
                ELSE 'differs'
              END
            FROM intake_opening AS intake
            LEFT JOIN fresh USING (source_key)
            LEFT JOIN facts_opening AS old
              ON old.source_key = intake.source_key AND old.withdrawn_by_id IS NULL AND fresh.source_key IS NULL
            """,
            {"now": now, "batch": batch_id},
        )
        return dict(cursor.fetchall())
