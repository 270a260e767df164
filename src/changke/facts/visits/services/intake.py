"""Visits by the thousand."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from changke.foundation.database.copy import copy_rows, staging

COLUMNS = """
    k bigint, source_key text, customer_id bigint, store_id bigint, staff_id bigint, purpose text, source text,
    happened_at timestamptz, business_date date
"""


@transaction.atomic
def take_in_visits(rows: Iterable[Sequence[object]], *, batch_id: int, now: dt.datetime) -> dict[int, str]:
    """Write one chunk; `k` -> created or skipped. A visit is known by its whole content, so it never differs."""
    staging("intake_visit", COLUMNS)
    copy_rows("intake_visit", rows)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH fresh AS (
              INSERT INTO facts_visit (happened_at, business_date, recorded_at, source_key, batch_id, customer_id,
              store_id,
                staff_id, purpose, source)
              SELECT happened_at, business_date, %(now)s, source_key, %(batch)s, customer_id, store_id, staff_id,
                coalesce(purpose, ''), coalesce(source, '')
              FROM intake_visit ORDER BY k
              ON CONFLICT (source_key) WHERE withdrawn_by_id IS NULL DO NOTHING
              RETURNING source_key
            )
            SELECT intake.k,
              CASE WHEN fresh.source_key IS NOT NULL OR old.batch_id = %(batch)s THEN 'created' ELSE 'skipped' END
            FROM intake_visit AS intake
            LEFT JOIN fresh USING (source_key)
            LEFT JOIN facts_visit AS old
              ON old.source_key = intake.source_key AND old.withdrawn_by_id IS NULL AND fresh.source_key IS NULL
            """,
            {"now": now, "batch": batch_id},
        )
        return dict(cursor.fetchall())
