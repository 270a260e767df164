from django.db import migrations, models


class Migration(migrations.Migration):
    """Whom she brought and what they spent. Nothing is written into the rows there are: a default of the column."""

    dependencies = [("profiles", "0019_lives_of_product_lines")]
    operations = [
        migrations.AddField("profile", name, field)
        for name, field in (
            ("referral_value", models.BigIntegerField(db_default=0)),
            ("referral_value_365d", models.BigIntegerField(db_default=0)),
            ("referred_customers", models.IntegerField(db_default=0)),
        )
    ]
