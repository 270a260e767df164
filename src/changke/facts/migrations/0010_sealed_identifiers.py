from django.db import migrations, models


class Migration(migrations.Migration):
    """Room for ciphertext and its indexes. The new indexes are partial and empty: nothing is locked for long."""

    dependencies = [("facts", "0009_returns_that_wait")]
    operations = [
        migrations.AlterField("identifier", "value", models.CharField(max_length=200, null=True)),
        migrations.AddField("identifier", "sealed", models.BinaryField(null=True)),
        migrations.AddField("identifier", "blind", models.BigIntegerField(null=True)),
        migrations.AddField("identifier", "tail", models.BigIntegerField(null=True)),
        migrations.AddField("identifier", "key_version", models.PositiveSmallIntegerField(null=True)),
        migrations.AddConstraint(
            "identifier",
            models.UniqueConstraint(
                fields=["kind", "blind"], name="identifier_blind_once", condition=models.Q(blind__isnull=False)
            ),
        ),
        migrations.AddIndex(
            "identifier",
            models.Index(fields=["tail", "customer"], name="identifier_tail", condition=models.Q(tail__isnull=False)),
        ),
    ]
