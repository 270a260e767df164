"""Answers kept for a while, so that a repeated request gets the same one."""

from django.db import models


class KeptAnswer(models.Model):
    """What was answered to a write that came with an `Idempotency-Key`."""

    actor = models.CharField(max_length=40)
    """Whose key of idempotency it is: two machines may count alike."""
    key = models.CharField(max_length=120)
    request = models.CharField(max_length=64)
    """SHA-256 of method, path and body: the same key for something else is a mistake of the caller."""
    status = models.PositiveSmallIntegerField(null=True)
    """Where the route has several; None is the one it has."""
    answer = models.TextField()
    """Sealed: it may hold a phone, or the secret of a key."""
    shows = models.BigIntegerField(null=True)
    """The customer it shows: what is kept of her goes with her."""
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="kept_answer_once")]
        indexes = [models.Index(fields=["kept_at"], name="kept_answer_age")]
