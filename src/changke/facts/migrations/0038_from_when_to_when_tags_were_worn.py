import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import changke.foundation.database.append_only
from changke.facts.customers.spells import FUNCTIONS, TRIGGERS
from changke.facts.tables import VIEWS
from changke.foundation.database.append_only import announce
from changke.foundation.database.online import LOCK_TIMEOUT


class Migration(migrations.Migration):
    """Tags as stretches of days, written down with the tag and copied as facts are."""

    dependencies = [("facts", "0037_that_she_was_brought")]
    operations = [
        migrations.CreateModel(
            name="TagSpell",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("tag_key", models.BigIntegerField(null=True)),
                ("first_on", models.DateField()),
                ("ended_on", models.DateField(null=True)),
                (
                    "txid",
                    changke.foundation.database.append_only.Xid8Field(
                        db_default=django.db.models.expressions.RawSQL("pg_current_xact_id()", ()), editable=False
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="facts.customer",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["customer"], name="tag_spell_customer"),
                    models.Index(fields=["txid"], name="tag_spell_txid"),
                ],
            },
        ),
        migrations.RunSQL(announce("facts_tagspell"), migrations.RunSQL.noop),
        migrations.RunSQL(f"CREATE VIEW live.worn AS {VIEWS['worn']}", "DROP VIEW live.worn"),
        migrations.RunSQL(f"{FUNCTIONS} SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; {TRIGGERS}", migrations.RunSQL.noop),
    ]
