import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from changke.foundation.database.references import (
    check_references,
    keep_referenced,
    never_deleted,
    undo_lasting,
    undo_referenced,
    undo_references,
)

OF_A_FACT = {"batch_id": "foundation_batch", "store_id": "foundation_store", "staff_id": "foundation_staff"}
REFERENCES = {
    "facts_receipt": {**OF_A_FACT, "customer_id": "facts_customer"},
    "facts_line": {"receipt_id": "facts_receipt", "item_id": "facts_item"},
    "facts_tender": {"receipt_id": "facts_receipt"},
    "facts_visit": {**OF_A_FACT, "customer_id": "facts_customer"},
}
LASTING = frozenset({"facts_customer", "facts_receipt"})
"""A receipt is append-only; a customer is erased or joined with another, and her row stays."""
NAMED = ("facts_item", "foundation_batch", "foundation_store", "foundation_staff")


def no_constraint(model: str, field: str, to: str, **options: object) -> migrations.AlterField:
    wanted = {"db_constraint": False, "on_delete": django.db.models.deletion.PROTECT, "related_name": "+", "to": to}
    return migrations.AlterField(model, field, models.ForeignKey(**wanted | options))  # type: ignore[arg-type]


class Migration(migrations.Migration):
    """Triggers by the statement take over from foreign keys that were checked row by row; each lock is for a moment."""

    dependencies = [
        ("facts", "0028_who_came_until_now"),
        ("foundation", "0017_devices_and_pins"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        *(
            migrations.RunSQL(check_references(table, references, lasting=LASTING), undo_references(table))
            for table, references in REFERENCES.items()
        ),
        *(migrations.RunSQL(keep_referenced(table, REFERENCES), undo_referenced(table)) for table in NAMED),
        migrations.RunSQL(never_deleted("facts_customer"), undo_lasting("facts_customer")),
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
    ]
