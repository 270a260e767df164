from django.db import migrations

from changke.facts.tables import FURTHER


class Migration(migrations.Migration):
    """Events and consents as definitions see them, for whoever asks."""

    dependencies = [("facts", "0039_which_tags_were_worn_until_now")]
    operations = [
        migrations.RunSQL(f"CREATE VIEW live.{name} AS {one.view}", f"DROP VIEW live.{name}")
        for name, one in FURTHER.items()
    ]
