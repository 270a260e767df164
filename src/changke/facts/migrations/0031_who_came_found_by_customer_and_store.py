from django.db import migrations

from changke.foundation.database.online import index_is_whole


def found_by_both(apps, schema_editor):
    if not index_is_whole(schema_editor, "facts_guest_both"):
        with schema_editor.connection.cursor() as sql:
            sql.execute("CREATE UNIQUE INDEX CONCURRENTLY facts_guest_both ON facts_guest (customer_id, store_id)")


class Migration(migrations.Migration):
    """The index that becomes the key of the table with the next migration, built beside who reads and writes."""

    atomic = False
    dependencies = [("facts", "0030_returns_found_by_customer")]
    operations = [migrations.RunPython(found_by_both, migrations.RunPython.noop)]
