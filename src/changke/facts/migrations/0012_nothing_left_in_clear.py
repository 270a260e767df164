from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

CLEAR_OR_SEALED = models.Q(value__isnull=False, sealed__isnull=True, blind__isnull=True) | models.Q(
    value__isnull=True, sealed__isnull=False, blind__isnull=False, key_version__isnull=False
)


class Migration(migrations.Migration):
    """The last four digits leave the customer; a value is in clear or sealed, never both. Validated without a lock."""

    dependencies = [("facts", "0011_seal_identifiers")]
    operations = [
        migrations.RemoveIndex("customer", "customer_phone_tail"),
        migrations.RemoveField("customer", "phone_tail"),
        AddConstraintNotValid(
            "identifier", models.CheckConstraint(condition=CLEAR_OR_SEALED, name="identifier_clear_or_sealed")
        ),
        ValidateConstraint("identifier", name="identifier_clear_or_sealed"),
    ]
