"""Tags by the thousand, each with the batch that brought it, so that undoing the batch takes them away."""

import datetime as dt
from collections.abc import Sequence

from django.db import connection, transaction

from changke.facts.customers.services.renew import renew


def source_of(batch_id: int) -> str:
    return f"import:{batch_id}"


@transaction.atomic
def take_in_tags(tags: Sequence[tuple[int, str]], *, batch_id: int, now: dt.datetime) -> set[int]:
    """Put (customer, tag) on; the customers who got one. A tag she has already stays as it is, with its source.

    Tags that this batch put on before it was killed count as got when it runs again.
    """
    customers, source = [customer for customer, _ in tags], source_of(batch_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO facts_tag (customer_id, name, source, recorded_at)
            SELECT DISTINCT customer, name, %(source)s, %(now)s::timestamptz
            FROM unnest(%(customers)s::bigint[], %(names)s::text[]) AS wanted (customer, name)
            ORDER BY customer, name
            ON CONFLICT (customer_id, name) DO NOTHING RETURNING customer_id
            """,
            {"customers": customers, "names": [name for _, name in tags], "source": source, "now": now},
        )
        renew({row[0] for row in cursor.fetchall()})
        cursor.execute(
            "SELECT DISTINCT customer_id FROM facts_tag WHERE source = %(source)s AND customer_id = ANY(%(customers)s)",
            {"customers": customers, "source": source},
        )
        return {row[0] for row in cursor.fetchall()}
