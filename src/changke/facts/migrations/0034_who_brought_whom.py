import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import changke.foundation.database.append_only
from changke.facts.referrals.models import GUARD, GUARD_FUNCTION
from changke.facts.tables import VIEWS
from changke.foundation.database.append_only import announce, guard

NEW = ("referrals", "referred_spend")


class Migration(migrations.Migration):
    """Who brought whom, stated and never edited, and the views through which it is counted."""

    dependencies = [
        ("facts", "0033_who_came_found_by_store_and_person"),
        ("foundation", "0017_devices_and_pins"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Referral",
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
                (
                    "how",
                    models.CharField(
                        choices=[("by_hand", "By Hand"), ("file", "File"), ("machine", "Machine")], max_length=10
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
                        ("referrer", "facts.customer", True),
                        ("staff", settings.AUTH_USER_MODEL, True),
                        ("withdrawn_by", "foundation.batch", True),
                    )
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["txid"], name="referral_txid"),
                    models.Index(fields=["batch"], name="referral_batch", condition=models.Q(batch__isnull=False)),
                    models.Index(fields=["customer", "-id"], name="referral_customer"),
                    models.Index(
                        fields=["referrer"], name="referral_referrer", condition=models.Q(referrer__isnull=False)
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["source_key"], condition=models.Q(withdrawn_by__isnull=True), name="referral_source_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(referrer__isnull=True) | ~models.Q(referrer=models.F("customer")),
                        name="referral_of_two",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARD_FUNCTION, f"DROP FUNCTION {GUARD}()"),
        migrations.RunSQL(guard("facts_referral", function=GUARD), migrations.RunSQL.noop),
        migrations.RunSQL(announce("facts_referral"), migrations.RunSQL.noop),
        *(migrations.RunSQL(f"CREATE VIEW live.{name} AS {VIEWS[name]}", f"DROP VIEW live.{name}") for name in NEW),
    ]
