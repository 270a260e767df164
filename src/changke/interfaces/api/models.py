"""Answers kept for a while, so that a repeated request gets the same one."""

from django.db import models


class KeptAnswer(models.Model):
    """What was answered to a write that came with an `Idempotency-Key`."""

    actor = models.CharField(max_length=40)
    """Whose key of idempotency it is: two machines may count alike."""
    key = models.CharField(max_length=120)
    request = models.CharField(max_length=64)
    """SHA-256 of method, path and body: the same key for something else is a mistake of the caller."""
    answer = models.JSONField()
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="kept_answer_once")]
        indexes = [models.Index(fields=["kept_at"], name="kept_answer_age")]
