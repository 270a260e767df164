import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from changke.facts.references import LASTING, REFERENCES
from changke.foundation.database.references import check_references, keep_referenced, never_deleted

NAMED = ("facts_item", "foundation_batch", "foundation_store", "foundation_staff")


def no_constraint(model: str, field: str, to: str, **options: object) -> migrations.AlterField:
    wanted = {"db_constraint": False, "on_delete": django.db.models.deletion.PROTECT, "related_name": "+", "to": to}
    return migrations.AlterField(model, field, models.ForeignKey(**wanted | options))  # type: ignore[arg-type]


DROP = f"""
DO $$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT conrelid::regclass AS of_table, conname FROM pg_constraint
    JOIN pg_attribute ON attrelid = conrelid AND ARRAY[attnum] = conkey
    WHERE contype = 'f' AND (conrelid::regclass::text, attname) IN ({
    ", ".join(f"('{table}', '{column}')" for table, references in REFERENCES.items() for column in references)
})
  LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.of_table, one.conname);
  END LOOP;
END $$;
"""  # noqa: S608 names of tables of ours
TRIGGERS = [
    *(check_references(table, references, lasting=LASTING) for table, references in REFERENCES.items()),
    *(keep_referenced(table, REFERENCES) for table in NAMED),
    never_deleted("facts_customer"),
]


class Migration(migrations.Migration):
    """Triggers by the statement take over from foreign keys that were checked row by row.

    In one go, which is over in a moment: by one operation for each column the tables would be locked for seconds, while
    Django works out what each of them means. What needs a table for itself comes first: whoever waits for it, behind a
    backup, holds no other one meanwhile.
    """

    dependencies = [
        ("facts", "0028_who_came_until_now"),
        ("foundation", "0017_devices_and_pins"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(DROP + "".join(TRIGGERS), migrations.RunSQL.noop)],
            state_operations=[
                no_constraint("line", "item", "facts.item", null=True, db_index=False),
                no_constraint("line", "receipt", "facts.receipt", db_index=False, related_name="lines"),
                no_constraint("receipt", "batch", "foundation.batch", null=True, db_index=False),
                no_constraint("receipt", "customer", "facts.customer", null=True, db_index=False),
                no_constraint("receipt", "staff", settings.AUTH_USER_MODEL, null=True, db_index=False),
                no_constraint("receipt", "store", "foundation.store", db_index=False),
                no_constraint("tender", "receipt", "facts.receipt", related_name="tenders"),
                no_constraint("visit", "batch", "foundation.batch", null=True, db_index=False),
                no_constraint("visit", "customer", "facts.customer", db_index=False),
                no_constraint("visit", "staff", settings.AUTH_USER_MODEL, null=True, db_index=False),
                no_constraint("visit", "store", "foundation.store", db_index=False),
            ],
        )
    ]
