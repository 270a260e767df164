import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import changke.foundation.database.append_only
from changke.facts.tables import VIEWS
from changke.foundation.database.append_only import announce, guard

# Past the policy, which asks here and may not ask itself: whose store a person's other records are seen in. For a
# moment it sees the whole chain; not by a SET clause, which is a superuser's to write. So no parallel plan may call it.
HOME = """
CREATE OR REPLACE FUNCTION changke_home(person bigint) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $$
DECLARE
  seen text := current_setting('changke.stores', true);
  home bigint;
BEGIN
  PERFORM set_config('changke.stores', '*', true);
  SELECT home_store_id INTO home FROM public.facts_customer WHERE id = person;
  PERFORM set_config('changke.stores', coalesce(seen, ''), true);
  RETURN home;
END
$$
"""
LATER = {"scores", "origins", "referrals", "referred_spend", "worn", "lines"}
READ_THROUGH = "".join(
    f"CREATE OR REPLACE VIEW live.{name} AS {query};\n" for name, query in VIEWS.items() if name not in LATER
)


class Migration(migrations.Migration):
    """Two records of one person are joined by one fact, and every view reads through it."""

    dependencies = [
        ("facts", "0018_way_to_her_own_page"),
        ("foundation", "0017_devices_and_pins"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="MergeLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("happened_at", models.DateTimeField()),
                ("business_date", models.DateField()),
                ("recorded_at", models.DateTimeField()),
                ("source_key", models.CharField(max_length=200)),
                (
                    "txid",
                    changke.foundation.database.append_only.Xid8Field(
                        db_default=django.db.models.expressions.RawSQL("pg_current_xact_id()", ()), editable=False
                    ),
                ),
                ("why", models.CharField(max_length=20)),
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
                        ("into", "facts.customer", False),
                        ("merged", "facts.customer", False),
                        ("staff", settings.AUTH_USER_MODEL, True),
                        ("withdrawn_by", "foundation.batch", True),
                    )
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["txid"], name="merge_txid"),
                    models.Index(fields=["batch"], name="merge_batch", condition=models.Q(batch__isnull=False)),
                    models.Index(fields=["into"], name="merge_into", condition=models.Q(withdrawn_by__isnull=True)),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["source_key"], condition=models.Q(withdrawn_by__isnull=True), name="merge_source_key"
                    ),
                    models.UniqueConstraint(
                        fields=["merged"], condition=models.Q(withdrawn_by__isnull=True), name="merge_once_at_a_time"
                    ),
                    models.CheckConstraint(condition=~models.Q(merged=models.F("into")), name="merge_of_two"),
                ],
            },
        ),
        migrations.AddField(
            model_name="customer",
            name="merged_into",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="facts.customer",
            ),
        ),
        migrations.RunSQL(guard("facts_mergelink"), migrations.RunSQL.noop),
        migrations.RunSQL(announce("facts_mergelink"), migrations.RunSQL.noop),
        migrations.RunSQL(HOME, "DROP FUNCTION changke_home(bigint)"),
        migrations.RunSQL(READ_THROUGH, migrations.RunSQL.noop),
    ]
