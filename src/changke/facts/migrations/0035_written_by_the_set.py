from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from changke.facts.customers.guests import COME
from changke.foundation.database.online import LOCK_TIMEOUT

# In place and over at once: how it is written from here on, not what stands in it.
WAITING_LIST = f"""
SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';
ALTER INDEX customer_name_grams SET (fastupdate = on, gin_pending_list_limit = 64);
"""


class Migration(migrations.Migration):
    """What a load brings is written by the set: who came to which store, and the pieces of names."""

    dependencies = [("facts", "0034_who_brought_whom")]
    operations = [
        migrations.RunSQL(
            COME + WAITING_LIST,
            migrations.RunSQL.noop,
            state_operations=[
                migrations.RemoveIndex("customer", "customer_name_grams"),
                migrations.AddIndex(
                    "customer",
                    GinIndex(
                        fields=["name_grams"], name="customer_name_grams", fastupdate=True, gin_pending_list_limit=64
                    ),
                ),
            ],
        )
    ]
