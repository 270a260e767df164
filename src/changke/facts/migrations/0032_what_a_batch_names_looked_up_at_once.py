from django.db import migrations, models

from changke.facts.customers.guests import COME
from changke.facts.references import LASTING, REFERENCES
from changke.foundation.database.online import LOCK_TIMEOUT
from changke.foundation.database.references import reference_check

CHECKS = "".join(reference_check(table, references, lasting=LASTING) for table, references in REFERENCES.items())
# Three indexes less to write for each row: the key, the pair with the store first, and the one of its customer alone.
KEY = f"""
SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';
ALTER TABLE facts_guest DROP CONSTRAINT guest_once, DROP CONSTRAINT facts_guest_pkey, DROP COLUMN id,
  ADD CONSTRAINT facts_guest_pkey PRIMARY KEY USING INDEX facts_guest_both;
DO $$
DECLARE
  of_customer regclass;
BEGIN
  SELECT indexrelid::regclass INTO STRICT of_customer FROM pg_index
  JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
  WHERE indrelid = 'facts_guest'::regclass AND attname = 'customer_id' AND indnatts = 1;
  EXECUTE format('DROP INDEX %s', of_customer);
END $$;
"""  # noqa: S608 a time-out of ours


class Migration(migrations.Migration):
    """What a batch of facts names is looked up as an array, and who came by the pair: the plans that a session kept
    read whole tables for a hundred facts."""

    dependencies = [("facts", "0031_who_came_found_by_customer_and_store")]
    operations = [
        migrations.RunSQL(
            KEY + COME + CHECKS,
            migrations.RunSQL.noop,
            state_operations=[
                migrations.RemoveConstraint("guest", "guest_once"),
                migrations.RemoveField("guest", "id"),
                migrations.AlterField(
                    "guest",
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="+",
                        to="facts.customer",
                    ),
                ),
                migrations.AddField(
                    "guest",
                    "pk",
                    models.CompositePrimaryKey(
                        "customer", "store", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
            ],
        )
    ]
