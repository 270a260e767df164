"""Everything done to many at once: preview, result row by row, undo."""

from django.conf import settings
from django.db import models


class BatchStatus(models.TextChoices):
    DRAFT = "draft"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    WITHDRAWING = "withdrawing"
    WITHDRAWN = "withdrawn"


class Batch(models.Model):
    """One load or bulk change. Facts carry its id, so that undoing it is one deed."""

    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=240)
    status = models.CharField(max_length=12, choices=BatchStatus.choices, default=BatchStatus.DRAFT)
    options = models.JSONField(default=dict)
    files = models.JSONField(default=list)
    total = models.BigIntegerField(null=True)
    done = models.BigIntegerField(default=0)
    created_count = models.BigIntegerField(default=0)
    updated_count = models.BigIntegerField(default=0)
    skipped_count = models.BigIntegerField(default=0)
    refused_count = models.BigIntegerField(default=0)
    kept_count = models.BigIntegerField(default=0, db_default=0)
    """Rows that wait in the batch for a room which is not built yet."""
    error_file = models.CharField(max_length=400, blank=True)
    message = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title


class RememberedMapping(models.Model):
    """How the columns of a file with this header were understood the last time."""

    kind = models.CharField(max_length=40)
    source = models.CharField(max_length=60, blank=True, db_default="")
    """The old system: two of them may call different things alike."""
    signature = models.CharField(max_length=64)
    mapping = models.JSONField()
    used_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "source", "signature"], name="mapping_signature")]
