from django.db import migrations

from changke.facts.tables import VIEWS

NEW = ("referrals", "referred_spend")


class Migration(migrations.Migration):
    """The same rows, by queries that walk indexes."""

    dependencies = [("facts", "0035_written_by_the_set")]
    operations = [
        migrations.RunSQL(f"CREATE OR REPLACE VIEW live.{name} AS {VIEWS[name]}", migrations.RunSQL.noop)
        for name in NEW
    ]
