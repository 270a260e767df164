"""What the doors remember: failures that delay, and links that let somebody set a new password."""

from django.db import models

from changke.foundation.access.models import Staff


class Attempt(models.Model):
    """Failures at a door, counted per name, per address or per both: they delay the next try and lock nobody out."""

    key = models.CharField(max_length=160, unique=True)
    failures = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField()
    failed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["failed_at"], name="attempt_age")]


class ResetLink(models.Model):
    """A link under which one person may set a new password once. Only its digest is kept."""

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
