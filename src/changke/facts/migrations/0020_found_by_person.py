from django.db import migrations, models

from changke.foundation.database.online import AddIndexOnline
from changke.foundation.database.statistics import analyze


def count_persons(apps: object, schema_editor: object) -> None:
    """Until it is counted, the planner thinks that a person has thousands of records."""
    analyze(["facts_customer"])


class Migration(migrations.Migration):
    """From a person to all her records, beside whoever writes."""

    atomic = False
    dependencies = [("facts", "0019_read_through_merges")]
    operations = [
        AddIndexOnline(
            "customer",
            models.Index(
                models.Case(
                    models.When(merged_into_id__isnull=True, then="id"),
                    default="merged_into_id",
                    output_field=models.BigIntegerField(),
                ),
                name="customer_person",
            ),
        ),
        AddIndexOnline(
            "customer",
            models.Index(fields=["merged_into"], name="customer_merged", condition=models.Q(merged_into__isnull=False)),
        ),
        migrations.RunPython(count_persons, migrations.RunPython.noop),
    ]
