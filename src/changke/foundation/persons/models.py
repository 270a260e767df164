"""The key of every person, wrapped, and the versions of the master key that wrapped them."""

from django.db import models


class PersonKey(models.Model):
    """Without this row nothing sealed for the person can be read by anybody again."""

    person_id = models.BigIntegerField(primary_key=True)
    """The customer's id; no foreign key, because this floor knows no customer."""
    wrapped = models.BinaryField()
    version = models.PositiveSmallIntegerField()
    """Of the master key."""


class KeyVersion(models.Model):
    """A version of the master key that this database was written with, by its fingerprint."""

    version = models.PositiveSmallIntegerField(primary_key=True)
    fingerprint = models.BinaryField()
    made_at = models.DateTimeField()
    backed_up_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    """Nothing is written or found by it any more; older backups and the suppression list still are."""


class Suppression(models.Model):
    """An address that nobody shall use, by its HMAC: it outlives the person. Nobody can read the address from it."""

    kind = models.CharField(max_length=10)
    blind = models.BigIntegerField()
    key_version = models.PositiveSmallIntegerField()
    since = models.DateTimeField()
    why = models.CharField(max_length=20)
    """`erased` or `asked`."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key_version", "blind"], name="suppression_once")]
        indexes = [models.Index(fields=["blind"], name="suppression_blind")]
