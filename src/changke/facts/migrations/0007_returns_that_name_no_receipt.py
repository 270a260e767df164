from django.db import migrations

from changke.facts.tables import VIEWS, before_merges


class Migration(migrations.Migration):
    """The view of returns learns to meet those that name no receipt. Same columns, so what reads it goes on."""

    dependencies = [("facts", "0006_birthdays_by_store")]
    operations = [
        migrations.RunSQL(
            f"CREATE OR REPLACE VIEW live.returns AS {before_merges(VIEWS['returns'])}", migrations.RunSQL.noop
        )
    ]
