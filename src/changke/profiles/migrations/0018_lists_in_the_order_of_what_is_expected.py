from django.db import migrations, models

from changke.foundation.database.online import AddIndexOnline


class Migration(migrations.Migration):
    """The customer list by outlook, by expected purchases and by expected spend."""

    atomic = False

    dependencies = [("profiles", "0017_a_rule_with_a_last_day")]

    operations = [
        AddIndexOnline(
            model_name="prediction",
            index=models.Index(fields=["-p_active_bp", "customer"], name="prediction_active"),
        ),
        AddIndexOnline(
            model_name="prediction",
            index=models.Index(fields=["-expected_purchases_milli", "customer"], name="prediction_purchases"),
        ),
        AddIndexOnline(
            model_name="prediction",
            index=models.Index(fields=["-expected_spend_minor", "customer"], name="prediction_spend"),
        ),
    ]
