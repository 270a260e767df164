"""What the doors remember: failures that delay, links for a new password, who is logged in where, second factors."""

import datetime as dt

from django.db import models

from changke.foundation.access.models import Staff
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import ScopedQuerySet


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


class Device(models.Model):
    """A phone or tablet of a store. Its cookie holds a secret; only the digest is kept."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64)
    bound_by = models.ForeignKey(Staff, null=True, on_delete=models.SET_NULL, related_name="+")
    bound_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet["Device"].as_manager()

    def is_valid(self, at: dt.datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at


class Pin(models.Model):
    """Six digits, hashed like a password. They count on a device of the store only."""

    staff = models.OneToOneField(Staff, primary_key=True, on_delete=models.CASCADE, related_name="+")
    pin = models.CharField(max_length=128)
    set_at = models.DateTimeField()


class SignIn(models.Model):
    """One log-in on one browser, from its beginning to its end. Whose row is ended is out at the next request."""

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    used_at = models.DateTimeField()
    """Noted once a minute, not at each request."""
    ip = models.CharField(max_length=60, blank=True)
    browser = models.CharField(max_length=200, blank=True)
    """What the browser calls itself; words are made of it where it is shown."""
    second_factor = models.BooleanField(default=False)
    """Whether a code was asked and right, not only the password."""
    device = models.ForeignKey(Device, null=True, on_delete=models.SET_NULL, related_name="+")
    """The bound device it happened on; there a break ends it."""
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["staff", "-used_at"], name="sign_in_of", condition=models.Q(ended_at=None))]


class SecondFactor(models.Model):
    """The shared secret behind somebody's six digits, sealed with a key that is not in the database."""

    staff = models.OneToOneField(Staff, primary_key=True, on_delete=models.CASCADE, related_name="+")
    secret = models.TextField()
    begun_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    """None until a first right code: a picture that nobody scanned locks nobody out."""
    used_step = models.BigIntegerField(default=0)
    """The half minute of the last code taken: it and those before are worth nothing any more."""


class RecoveryCode(models.Model):
    """For who lost the phone: ten, each once. Only digests are kept."""

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["staff", "digest"], name="recovery_code_once")]
