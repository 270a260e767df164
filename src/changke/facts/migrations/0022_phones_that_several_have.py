from django.db import migrations, models


class Migration(migrations.Migration):
    """A phone may be kept by whoever is not found by it; two kinds of names more."""

    dependencies = [("facts", "0021_what_a_batch_replaced_in_own_fields")]
    operations = [
        migrations.AddField("identifier", "shared", models.BooleanField(db_default=False, default=False)),
        migrations.AlterField(
            "identifier",
            "kind",
            models.CharField(
                choices=[
                    ("phone", "Phone"),
                    ("email", "Email"),
                    ("external", "External"),
                    ("wecom", "Wecom"),
                    ("unionid", "Unionid"),
                    ("card", "Card"),
                ],
                max_length=10,
            ),
        ),
    ]
