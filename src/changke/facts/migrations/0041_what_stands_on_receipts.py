from django.db import migrations

from changke.facts.catalog.sold import SOLD
from changke.facts.tables import VIEWS


class Migration(migrations.Migration):
    """Lines of receipts as definitions see them, and what they name."""

    dependencies = [("facts", "0040_what_happened_and_what_she_agreed_to")]
    operations = [
        migrations.RunSQL(f"CREATE VIEW facts_sold AS {SOLD}", "DROP VIEW facts_sold"),
        migrations.RunSQL(f"CREATE VIEW live.lines AS {VIEWS['lines']}", "DROP VIEW live.lines"),
    ]
