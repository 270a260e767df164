import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import changke.foundation.database.append_only
from changke.facts.tables import VIEWS
from changke.foundation.database.append_only import announce


class Migration(migrations.Migration):
    """What a chain's own models say of its customers, with the day it speaks of."""

    dependencies = [
        ("facts", "0025_pairs_that_may_be_one_person"),
        ("foundation", "0017_devices_and_pins"),
    ]
    operations = [
        migrations.CreateModel(
            name="Score",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=40, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("chance", "chance"),
                            ("number", "number"),
                            ("money", "money"),
                            ("label", "label"),
                        ],
                        max_length=10,
                    ),
                ),
                ("labels", models.JSONField(default=dict)),
                ("roles", models.JSONField(default=list)),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.CreateModel(
            name="ScoreValue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(null=True)),
                ("text", models.CharField(max_length=60, null=True)),
                ("scored_on", models.DateField()),
                (
                    "txid",
                    changke.foundation.database.append_only.Xid8Field(
                        db_default=django.db.models.expressions.RawSQL("pg_current_xact_id()", ()), editable=False
                    ),
                ),
                *(
                    (
                        name,
                        models.ForeignKey(
                            db_index=False,
                            null=null,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to=to,
                        ),
                    )
                    for name, to, null in (
                        ("batch", "foundation.batch", True),
                        ("customer", "facts.customer", False),
                        ("score", "facts.score", False),
                        ("withdrawn_by", "foundation.batch", True),
                    )
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["customer", "score", "-scored_on", "-id"],
                        name="score_value_latest",
                        condition=models.Q(withdrawn_by__isnull=True),
                    ),
                    models.Index(fields=["batch"], name="score_value_batch", condition=models.Q(batch__isnull=False)),
                    models.Index(fields=["txid"], name="score_value_txid"),
                ]
            },
        ),
        migrations.RunSQL(announce("facts_scorevalue"), migrations.RunSQL.noop),
        migrations.RunSQL(f"CREATE VIEW live.scores AS {VIEWS['scores']}", "DROP VIEW live.scores"),
    ]
