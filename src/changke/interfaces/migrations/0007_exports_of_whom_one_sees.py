from django.db import migrations, models


class Migration(migrations.Migration):
    """An export keeps the whole scope of whoever asked, where stores do not say it alone."""

    dependencies = [("interfaces", "0006_two_shops_of_one_source")]
    operations = [migrations.AddField("export", "seen", models.JSONField(null=True))]
