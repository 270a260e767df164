"""Who follows the customers sees that something about them changed that stands in another table of this room."""

from collections.abc import Collection

from django.db import connection

# Whom this transaction wrote already needs no second version of her row. Locked in the order of their numbers, as
# everywhere: two loads that renew the same customers wait for each other instead of for a deadlock.
RENEWED = """
UPDATE facts_customer SET txid = pg_current_xact_id()
WHERE id IN (SELECT id FROM facts_customer WHERE id = ANY(%s) AND txid <> pg_current_xact_id() ORDER BY id FOR UPDATE)
"""


def renew(customer_ids: Collection[int]) -> None:
    """In the transaction of the change."""
    if customer_ids:
        with connection.cursor() as sql:
            sql.execute(RENEWED, [sorted(customer_ids)])
