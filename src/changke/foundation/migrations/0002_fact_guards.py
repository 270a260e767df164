from django.db import migrations

from changke.foundation.database.append_only import FROZEN_FUNCTION, GUARD_FUNCTION, NOTIFY_FUNCTION


class Migration(migrations.Migration):
    """The functions by which facts stay append-only and wake those who follow them."""

    dependencies = [("foundation", "0001_organisation_access_batches")]
    operations = [
        migrations.RunSQL(GUARD_FUNCTION, "DROP FUNCTION changke_append_only()"),
        migrations.RunSQL(FROZEN_FUNCTION, "DROP FUNCTION changke_frozen()"),
        migrations.RunSQL(NOTIFY_FUNCTION, "DROP FUNCTION changke_facts_notify()"),
    ]
