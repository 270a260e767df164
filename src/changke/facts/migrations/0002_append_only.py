from django.db import migrations

from changke.foundation.database.append_only import announce, guard

FACTS = ["facts_receipt", "facts_opening", "facts_visit", "facts_event"]
PARTS = ["facts_line", "facts_tender"]


class Migration(migrations.Migration):
    dependencies = [("facts", "0001_catalog_customers_purchases_visits_events"), ("foundation", "0002_fact_guards")]
    operations = [
        *(migrations.RunSQL(guard(table), f"DROP TRIGGER {table}_append_only ON {table}") for table in FACTS),
        *(
            migrations.RunSQL(guard(table, function="changke_frozen"), f"DROP TRIGGER {table}_append_only ON {table}")
            for table in PARTS
        ),
        *(
            migrations.RunSQL(announce(table), f"DROP TRIGGER {table}_announce ON {table}")
            for table in ["facts_receipt", "facts_opening", "facts_visit", "facts_customer"]
        ),
    ]
