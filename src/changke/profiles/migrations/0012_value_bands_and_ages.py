from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("profiles", "0011_counts_in_the_index_alone")]

    operations = [
        migrations.AddField("valuerules", "bands", models.JSONField(db_default={}, default=dict)),
        migrations.AddField("valuerules", "target_age_from", models.PositiveSmallIntegerField(null=True)),
        migrations.AddField("valuerules", "target_age_until", models.PositiveSmallIntegerField(null=True)),
    ]
