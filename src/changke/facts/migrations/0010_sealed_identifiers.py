from django.db import migrations, models


class Migration(migrations.Migration):
    """Room for ciphertext. Nullable columns lock for a moment only; their indexes come next, beside whoever writes."""

    dependencies = [("facts", "0009_returns_that_wait")]
    operations = [
        migrations.AlterField("identifier", "value", models.CharField(max_length=200, null=True)),
        migrations.AddField("identifier", "sealed", models.BinaryField(null=True)),
        migrations.AddField("identifier", "blind", models.BigIntegerField(null=True)),
        migrations.AddField("identifier", "tail", models.BigIntegerField(null=True)),
        migrations.AddField("identifier", "key_version", models.SmallIntegerField(null=True)),
    ]
