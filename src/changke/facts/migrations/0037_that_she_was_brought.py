from django.db import migrations

from changke.facts.tables import VIEWS


class Migration(migrations.Migration):
    """That somebody brought her, by her own statements alone."""

    dependencies = [("facts", "0036_those_brought_found_by_index")]
    operations = [migrations.RunSQL(f"CREATE VIEW live.origins AS {VIEWS['origins']}", "DROP VIEW live.origins")]
