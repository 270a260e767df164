"""Exports: who asked for what, why, and the file while it is kept."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ExportState(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"


class Export(models.Model):
    """One file. Only its maker may fetch it, for a day."""

    dataset = models.CharField(max_length=40)
    format = models.CharField(max_length=20)
    filters = models.CharField(max_length=1000, blank=True)
    """Masked: which kind of search, never whom (`searched.masked`)."""
    search = models.TextField(blank=True, default="", db_default="")
    """The filters whole, sealed, where masking took something away; empty as soon as the file is made."""
    maker = models.CharField(max_length=40)
    """`staff:5` or `key:ck_...`."""
    maker_name = models.CharField(max_length=200)
    stores = ArrayField(models.BigIntegerField(), null=True)
    seen = models.JSONField(null=True)
    """The whole scope, where stores do not say it alone (`Scope.as_json`)."""
    """The maker's scope when it was asked for; NULL is the chain."""
    shows_phones = models.BooleanField(default=False)
    role = models.CharField(max_length=40, blank=True, default="", db_default="")
    """The maker's role: which of the chain's own fields the file has. "" sees all: a key or the command line."""
    reason = models.CharField(max_length=400, blank=True)
    language = models.CharField(max_length=12)
    state = models.CharField(max_length=10, choices=ExportState.choices, default=ExportState.WAITING)
    total = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    file = models.CharField(max_length=200, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["maker", "-id"], name="export_maker"),
            models.Index(fields=["expires_at"], name="export_expiry"),
        ]
