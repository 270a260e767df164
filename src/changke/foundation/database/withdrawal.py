"""Withdrawing facts: the one thing that may be written on them, in chunks that hold no reader up."""

from django.db import connection, transaction

CHUNK = 3_000
"""The append-only trigger compares whole rows: three thousand take about a quarter of a second."""


def withdraw(table: str, *, batch_id: int) -> int:
    """Withdraw every living fact of a batch, each chunk in its own transaction; how many. Safe to repeat."""
    total = last = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH next AS (
                  SELECT id FROM {table} WHERE batch_id = %(batch)s AND withdrawn_by_id IS NULL AND id > %(last)s
                  ORDER BY id LIMIT %(chunk)s
                ), gone AS (
                  -- As an array, not a join: after a fresh load the table's statistics still say that it is empty, and
                  -- a join would be planned as a loop over all of it for each of the ids.
                  UPDATE {table} AS fact SET withdrawn_by_id = %(batch)s, txid = pg_current_xact_id()
                  WHERE fact.id = ANY(ARRAY(SELECT id FROM next)) RETURNING fact.id
                )
                SELECT count(*), coalesce(max(id), 0) FROM gone
                """,  # noqa: S608 the tables are ours
                {"batch": batch_id, "last": last, "chunk": CHUNK},
            )
            count, last = map(int, cursor.fetchone())
        total += count
        if count < CHUNK:
            return total
