from django.conf import settings
from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models

from changke.foundation.database.online import AddIndexOnline, AddUniqueOnline


class Migration(migrations.Migration):
    """What reads large tables from end to end, one step after the other and beside whoever writes: the index by which
    a return is found, those of notes that a file brought (0008), and that every value is in clear or sealed (0012)."""

    atomic = False
    dependencies = [
        ("facts", "0013_whom_a_bulk_change_means"),
        ("foundation", "0004_audit_guard"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        AddIndexOnline(
            "receipt",
            models.Index(fields=["original_number"], name="receipt_original", condition=~models.Q(original_number="")),
        ),
        AddIndexOnline(
            "note", models.Index(fields=["batch"], name="note_batch", condition=models.Q(batch__isnull=False))
        ),
        AddUniqueOnline(
            "note",
            models.UniqueConstraint(fields=["source_key"], condition=~models.Q(source_key=""), name="note_source_key"),
        ),
        ValidateConstraint("identifier", name="identifier_clear_or_sealed"),
    ]
