"""Rows of a load that wait for a room of ours: checked, matched with their customer, and kept in their batch."""

from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from changke.facts.customers.models import Kept
from changke.foundation.database.copy import copy_rows, staging

COLUMNS = "k bigint, source_key text, customer_id bigint, data jsonb"
CHUNK = 2_000


@transaction.atomic
def keep(rows: Iterable[Sequence[object]], *, kind: str, batch_id: int) -> dict[int, str]:
    """Keep one chunk; `k` -> kept, skipped (known with the same contents) or differs."""
    staging("intake_kept", COLUMNS)
    copy_rows("intake_kept", rows)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH fresh AS (
              INSERT INTO facts_kept (batch_id, customer_id, kind, source_key, data)
              SELECT %(batch)s, customer_id, %(kind)s, source_key, data FROM intake_kept ORDER BY k
              ON CONFLICT (kind, source_key) DO NOTHING
              RETURNING source_key
            )
            SELECT intake.k, CASE
                WHEN fresh.source_key IS NOT NULL OR old.batch_id = %(batch)s THEN 'kept'
                WHEN old.data = intake.data AND old.customer_id = intake.customer_id THEN 'skipped'
                ELSE 'differs' END
            FROM intake_kept AS intake
            LEFT JOIN fresh USING (source_key)
            LEFT JOIN facts_kept AS old
              ON old.kind = %(kind)s AND old.source_key = intake.source_key AND fresh.source_key IS NULL
            """,
            {"batch": batch_id, "kind": kind},
        )
        return dict(cursor.fetchall())


def let_go(batch_id: int) -> int:
    """Forget what an undone batch kept; how many rows."""
    gone = 0
    while ids := list(Kept.objects.filter(batch_id=batch_id).values_list("pk", flat=True)[:CHUNK]):
        gone += Kept.objects.filter(pk__in=ids).delete()[0]
    return gone
