"""Where everybody bought or was served before the triggers of 0027 wrote it down.

So many customers in each transaction; killed, it begins again and finds what is there.
"""

from django.db import connection, migrations, transaction

from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE

CHUNK = 5_000
CAME = """
INSERT INTO facts_guest (store_id, customer_id, person_id)
SELECT came.store_id, came.customer_id,
  CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END
FROM (
  SELECT store_id, customer_id FROM facts_receipt
  WHERE customer_id BETWEEN %(first)s AND %(last)s AND withdrawn_by_id IS NULL
  UNION SELECT store_id, customer_id FROM facts_visit
  WHERE customer_id BETWEEN %(first)s AND %(last)s AND withdrawn_by_id IS NULL
  UNION SELECT store_id, customer_id FROM facts_opening
  WHERE customer_id BETWEEN %(first)s AND %(last)s AND withdrawn_by_id IS NULL AND store_id IS NOT NULL
) AS came JOIN facts_customer AS record ON record.id = came.customer_id
ON CONFLICT (store_id, customer_id) DO NOTHING
"""


@seeing(CHAIN_WIDE)
def write_down(apps, schema_editor):
    with connection.cursor() as sql:
        sql.execute("SELECT min(id), max(id) FROM facts_customer")
        first, last = sql.fetchone()
    for start in range(first or 0, (last or -1) + 1, CHUNK):
        with transaction.atomic(), connection.cursor() as sql:
            sql.execute(CAME, {"first": start, "last": start + CHUNK - 1})
    if last is not None:
        with connection.cursor() as sql:
            sql.execute("ANALYZE facts_guest")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("facts", "0027_who_came_to_which_store")]
    operations = [migrations.RunPython(write_down, migrations.RunPython.noop)]
