from django.db import migrations, models

from changke.foundation.database.online import AddIndexOnline


class Migration(migrations.Migration):
    """Whoever gave nothing back is known without a look at her receipts, once for each of them."""

    atomic = False

    dependencies = [("facts", "0029_named_rows_are_checked_by_the_set")]

    operations = [
        AddIndexOnline(
            model_name="receipt",
            index=models.Index(
                fields=["customer"],
                condition=models.Q(kind="return", withdrawn_by__isnull=True, customer__isnull=False),
                name="return_of_customer",
            ),
        ),
    ]
