from django.db import migrations

from changke.foundation.audit.models import QUEUE_FUNCTION
from changke.foundation.database.append_only import guard

LINES, SEALS = "foundation_auditline", "foundation_auditseal"
BEGIN_TO_WAIT = "INSERT INTO foundation_auditunsealed SELECT id FROM foundation_auditline"
QUEUE = f"CREATE TRIGGER {LINES}_queue AFTER INSERT ON {LINES} FOR EACH ROW EXECUTE FUNCTION changke_audit_queue();"


class Migration(migrations.Migration):
    """Every line waits for its seal, and a seal is never changed. Lines written before this begin to wait now."""

    dependencies = [("foundation", "0005_audit_seals")]
    operations = [
        migrations.RunSQL(QUEUE_FUNCTION, "DROP FUNCTION changke_audit_queue()"),
        migrations.RunSQL(QUEUE, f"DROP TRIGGER {LINES}_queue ON {LINES}"),
        migrations.RunSQL(BEGIN_TO_WAIT, migrations.RunSQL.noop),
        migrations.RunSQL(guard(SEALS, function="changke_frozen"), f"DROP TRIGGER {SEALS}_append_only ON {SEALS}"),
    ]
