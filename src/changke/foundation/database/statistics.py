"""What the planner knows of a table. After a large load it knows nothing until autovacuum comes by."""

from collections.abc import Sequence

from django.db import connection


def analyze(tables: Sequence[str]) -> None:
    """Count the tables anew: a second for millions of rows, read from a sample.

    Without it a query right after a load is planned for an empty table and loops over a full one. Where the role may
    not (PostgreSQL 15 and 16 know no such right beside ownership), PostgreSQL skips the table with a warning.
    """
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")
