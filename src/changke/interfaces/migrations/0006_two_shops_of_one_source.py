from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("interfaces", "0005_exports_for_a_role"),
    ]

    operations = [
        migrations.AddField(
            model_name="webhookaddress",
            name="receipts_as",
            field=models.CharField(blank=True, db_default="", default="", max_length=60),
        ),
    ]
