"""Who may come in: staff with one role each, and the keys of machines."""

import datetime as dt

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from changke.foundation.organisation.models import Store


class Role(models.TextChoices):
    OWNER = "owner"
    HQ = "hq"
    MANAGER = "manager"
    STAFF = "staff"


CHAIN_WIDE_ROLES = frozenset({Role.OWNER, Role.HQ})


class StaffManager(BaseUserManager["Staff"]):
    def get_by_natural_key(self, username: str | None) -> "Staff":
        return self.get(username__iexact=username)


class Staff(AbstractBaseUser):
    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.STAFF)
    stores = models.ManyToManyField(Store, blank=True, related_name="+")
    code = models.CharField(max_length=60, blank=True)
    """The name or number under which the till's files know this person."""
    phone = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=12, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(null=True)

    objects = StaffManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["username"]
        indexes = [models.Index(fields=["code"], name="staff_code")]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """The key of a machine. Only its digest is kept; the prefix tells keys apart in a list."""

    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.HQ)
    stores = models.ManyToManyField(Store, blank=True, related_name="+")
    created_by = models.ForeignKey(Staff, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def is_valid(self, at: dt.datetime) -> bool:
        return self.revoked_at is None or self.revoked_at > at
