from django.db import migrations

from changke.foundation.audit.models import GUARD_FUNCTION
from changke.foundation.database.append_only import guard

TABLE = "foundation_auditline"


class Migration(migrations.Migration):
    """The trail is only ever added to, whoever asks."""

    dependencies = [("foundation", "0003_audit_trail")]
    operations = [
        migrations.RunSQL(GUARD_FUNCTION, "DROP FUNCTION changke_audit_guard()"),
        migrations.RunSQL(guard(TABLE, function="changke_audit_guard"), f"DROP TRIGGER {TABLE}_append_only ON {TABLE}"),
    ]
