from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

CLEAR_OR_SEALED = models.Q(value__isnull=False, sealed__isnull=True, blind__isnull=True) | models.Q(
    value__isnull=True, sealed__isnull=False, blind__isnull=False, key_version__isnull=False
)


class Migration(migrations.Migration):
    """The last four digits leave the customer; a value is in clear or sealed, never both. The rows that
    are there are looked through later (0014): in this transaction that would lock the table as long as it takes."""

    dependencies = [("facts", "0011_seal_identifiers")]
    operations = [
        migrations.RemoveIndex("customer", "customer_phone_tail"),
        migrations.RemoveField("customer", "phone_tail"),
        AddConstraintNotValid(
            "identifier", models.CheckConstraint(condition=CLEAR_OR_SEALED, name="identifier_clear_or_sealed")
        ),
    ]
