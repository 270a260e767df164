"""Notes by the thousand. The events that say they were written are the events' room's, in the same transaction."""

from collections.abc import Iterable, Sequence

from django.db import connection

from changke.facts.customers.models import Note
from changke.foundation.database.copy import copy_rows, staging

COLUMNS = """
    k bigint, source_key text, customer_id bigint, store_id bigint, staff_id bigint, text text,
    happened_at timestamptz, business_date date
"""
CHUNK = 2_000


def take_in_notes(rows: Iterable[Sequence[object]], *, batch_id: int) -> dict[int, str]:
    """Write one chunk into notes, leaving the rows in the staging table `intake_note`; `k` -> created or skipped."""
    staging("intake_note", COLUMNS)
    copy_rows("intake_note", rows)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH fresh AS (
              INSERT INTO facts_note (customer_id, text, photo, written_by_id, written_at, source_key, batch_id)
              SELECT customer_id, text, '', staff_id, happened_at, source_key, %(batch)s FROM intake_note ORDER BY k
              ON CONFLICT (source_key) WHERE source_key <> '' DO NOTHING
              RETURNING source_key
            )
            SELECT intake.k,
              CASE WHEN fresh.source_key IS NOT NULL OR old.batch_id = %(batch)s THEN 'created' ELSE 'skipped' END
            FROM intake_note AS intake
            LEFT JOIN fresh USING (source_key)
            LEFT JOIN facts_note AS old ON old.source_key = intake.source_key AND fresh.source_key IS NULL
            """,
            {"batch": batch_id},
        )
        return dict(cursor.fetchall())


def forget_notes(batch_id: int) -> int:
    """Delete the notes that the batch brought; how many. They are free text, not facts: the event is withdrawn."""
    gone = 0
    while ids := list(Note.objects.filter(batch_id=batch_id).values_list("pk", flat=True)[:CHUNK]):
        gone += Note.objects.filter(pk__in=ids).delete()[0]
    return gone
