import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Pairs of records that may be of one person, and what was decided."""

    dependencies = [
        ("facts", "0024_no_longer_of_one_alone"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Duplicate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule", models.CharField(max_length=20)),
                ("score", models.PositiveSmallIntegerField()),
                (
                    "why",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list, size=None
                    ),
                ),
                ("found_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("proposed", "Proposed"), ("merged", "Merged"), ("not_same", "Not Same")],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "one",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="facts.customer",
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="facts.customer"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["-score", "id"], name="duplicate_open", condition=models.Q(("state", "proposed"))
                    ),
                    models.Index(
                        fields=["-decided_at", "-id"],
                        name="duplicate_done",
                        condition=models.Q(("state", "proposed"), _negated=True),
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("one", "other"), name="duplicate_once"),
                    models.CheckConstraint(
                        condition=models.Q(("one__lt", models.F("other"))), name="duplicate_smaller_first"
                    ),
                ],
            },
        ),
    ]
