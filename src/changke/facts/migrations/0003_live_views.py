from django.db import migrations

from changke.facts.tables import VIEWS, before_merges

LATER = {"scores", "origins", "referrals", "referred_spend", "worn", "lines"}
"""Views over tables that come with a later migration."""
CREATE = "".join(
    f"CREATE VIEW live.{name} AS {before_merges(query)};\n" for name, query in VIEWS.items() if name not in LATER
)


class Migration(migrations.Migration):
    """The facts as definitions see them. The words are shared with the mirror, so they stand in `facts/tables.py`."""

    dependencies = [("facts", "0002_append_only")]
    operations = [
        migrations.RunSQL(
            f"DROP SCHEMA IF EXISTS live CASCADE; CREATE SCHEMA live;\n{CREATE}", "DROP SCHEMA live CASCADE"
        )
    ]
