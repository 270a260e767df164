"""Who may come in: staff and the keys of machines, and the roles they were granted."""

import datetime as dt

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from changke.foundation.organisation.models import Region, Store


class Role(models.TextChoices):
    """The roles every chain has; what each may do stands in `capabilities.BUILT_IN`."""

    OWNER = "owner"
    HQ = "hq"
    MANAGER = "manager"
    STAFF = "staff"
    ANALYST = "analyst"


class Sees(models.TextChoices):
    """Which customers of its node a grant shows: docs/decisions/0092."""

    HOME = "home"
    """Whose home store lies below the node."""
    VISITED = "visited"
    """Also whoever bought or was served there."""
    ASSIGNED = "assigned"
    """Of those at home there, only whose adviser one is."""


CHAIN_WIDE_ROLES = frozenset({Role.OWNER, Role.HQ})
"""As a position they need no store: they answer for the chain."""


class StaffManager(BaseUserManager["Staff"]):
    def get_by_natural_key(self, username: str | None) -> "Staff":
        return self.get(username__iexact=username)


class Staff(AbstractBaseUser):
    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.STAFF)
    """Her position, as the house calls her. What she may do is asked of her grants, which follow it."""
    stores = models.ManyToManyField(Store, blank=True, related_name="+")
    """Where she works."""
    sees = models.CharField(max_length=10, choices=Sees.choices, default=Sees.HOME, db_default="home")
    """Which customers there. Her standing grants follow it."""
    code = models.CharField(max_length=60, blank=True)
    """The name or number under which the till's files know this person."""
    phone = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=12, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(null=True)

    objects = StaffManager()

    asks_at: dt.datetime | None = None
    """The moment of the request she asks in, told by the roof (`queries.asking`): grants begin and end."""

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["username"]
        indexes = [models.Index(fields=["code"], name="staff_code")]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """The key of a machine: `ck_live_<prefix>_<secret>`. Only its digest is kept; the prefix tells keys apart.

    Older ones are `ck_<secret>`, and their prefix is how they begin.
    """

    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.HQ)
    stores = models.ManyToManyField(Store, blank=True, related_name="+")
    created_by = models.ForeignKey(Staff, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    """May lie in the future: a key that was rotated opens a while longer."""
    last_used_at = models.DateTimeField(null=True)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    """Capabilities it is held to, of those its roles include; empty is all of them."""
    networks = ArrayField(models.CharField(max_length=50), default=list)
    """Addresses and networks it is taken from; empty is everywhere."""
    per_minute = models.PositiveIntegerField(default=6_000)
    replaces = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="successors")

    asks_at: dt.datetime | None = None

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=Q(per_minute__gt=0), name="key_asks_at_all")]

    @property
    def begins_with(self) -> str:
        return self.prefix if self.prefix.startswith("ck_") else f"ck_live_{self.prefix}"

    def is_valid(self, at: dt.datetime) -> bool:
        return self.revoked_at is None or self.revoked_at > at


class RateBucket(models.Model):
    """How fast a key asks. One moment says it all: when its bucket will be full again (GCRA).

    The table is unlogged: after a crash every bucket is full, and no request waits for the disk.
    """

    key = models.OneToOneField(ApiKey, primary_key=True, on_delete=models.CASCADE, related_name="+")
    full_at = models.DateTimeField()


class OwnRole(models.Model):
    """A role of the chain's own making: a name and what it may do."""

    name = models.CharField(max_length=60, unique=True)
    capabilities = ArrayField(models.CharField(max_length=40), default=list)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """Somebody, or a key, has a role on a node of the tree and everything below it, for a time or for good."""

    staff = models.ForeignKey(Staff, null=True, on_delete=models.CASCADE, related_name="grants")
    key = models.ForeignKey(ApiKey, null=True, on_delete=models.CASCADE, related_name="grants")
    built_in = models.CharField(max_length=10, choices=Role.choices, blank=True)
    own_role = models.ForeignKey(OwnRole, null=True, on_delete=models.PROTECT, related_name="grants")
    region = models.ForeignKey(Region, null=True, on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+")
    """Neither region nor store: the whole chain."""
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    sees = models.CharField(max_length=10, choices=Sees.choices, default=Sees.HOME, db_default="home")
    standing = models.BooleanField(default=False)
    """Follows from the position and is replaced with it; the others were granted one by one."""
    granted_by = models.ForeignKey(Staff, null=True, on_delete=models.SET_NULL, related_name="+")
    granted_at = models.DateTimeField(null=True)
    """None for a standing one: it is as old as the position."""

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(staff__isnull=False, key__isnull=True) | Q(staff__isnull=True, key__isnull=False),
                name="grant_to_one",
            ),
            models.CheckConstraint(
                condition=(Q(own_role__isnull=True) & ~Q(built_in="")) | Q(own_role__isnull=False, built_in=""),
                name="grant_of_one_role",
            ),
            models.CheckConstraint(condition=Q(region__isnull=True) | Q(store__isnull=True), name="grant_on_one_node"),
            models.CheckConstraint(
                condition=Q(since__isnull=True) | Q(until__isnull=True) | Q(until__gt=models.F("since")),
                name="grant_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=~Q(sees="assigned") | Q(staff__isnull=False), name="grant_of_ones_own_to_a_person"
            ),
        ]

    def is_valid(self, at: dt.datetime | None) -> bool:
        """Whether it holds at the moment. Who does not say when he asks, has only what never ends."""
        if at is None:
            return self.since is None and self.until is None
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)
