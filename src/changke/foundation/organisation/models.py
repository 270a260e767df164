"""Chain -> region -> store."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from changke.foundation.organisation.activity import counted
from changke.foundation.organisation.scope import ScopedQuerySet


class Activity(models.TextChoices):
    """What counts as having been active."""

    VISIT = "visit"
    PURCHASE = "purchase"
    USE = "use"


def all_activities() -> list[str]:
    return [kind.value for kind in Activity]


def every_day() -> list[int]:
    return [1, 2, 3, 4, 5, 6, 7]


class Chain(models.Model):
    """The chain of this installation: exactly one row, one currency."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, default="CNY")
    time_zone = models.CharField(max_length=64, default="Asia/Shanghai")
    language = models.CharField(max_length=12, default="zh-hans")
    activity_kinds = ArrayField(models.CharField(max_length=10, choices=Activity.choices), default=all_activities)
    silent_after_days = models.PositiveIntegerField(default=60)
    lost_after_days = models.PositiveIntegerField(default=180)
    mature_visit_days = models.PositiveIntegerField(default=6)
    gap_weight = models.PositiveIntegerField(default=3)
    """How many gaps of the chain a customer's own gaps are weighed against."""

    second_factor_required = models.BooleanField(default=True, db_default=True)
    """Whether those who may change what belongs to the chain must bring a code beside their password."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(only=True), name="one_chain"),
            models.CheckConstraint(
                condition=models.Q(lost_after_days__gt=models.F("silent_after_days"), silent_after_days__gt=0),
                name="chain_silent_before_lost",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def counted(self) -> str:
        """What her last active day was the day of: visit, purchase, use, or activity in general."""
        return counted(self.activity_kinds)


class Region(models.Model):
    """A node between the chain and its stores. The way from the top is kept as a path, so that everything below a node
    is one range of an index: docs/decisions/0020."""

    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    name = models.CharField(max_length=120)
    path = models.CharField(max_length=400, db_default="/", default="/", db_collation="C", editable=False)
    """Ids from the top down to this one, `/3/17/`. Written by the services of this room only."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["parent", "name"], name="region_name", nulls_distinct=False)]
        indexes = [models.Index(fields=["path"], name="region_path")]

    def __str__(self) -> str:
        return self.name


class Store(models.Model):
    SCOPE_PATH = "id"

    region = models.ForeignKey(Region, null=True, blank=True, on_delete=models.PROTECT, related_name="stores")
    path = models.CharField(max_length=400, db_default="/", default="/", db_collation="C", editable=False)
    """The path of its region; `/` hangs from the chain itself."""
    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, default="Asia/Shanghai")
    opening_days = ArrayField(models.PositiveSmallIntegerField(), default=every_day)
    """ISO weekdays, Monday is 1."""
    is_open = models.BooleanField(default=True)

    objects = ScopedQuerySet["Store"].as_manager()

    class Meta:
        ordering = ["code"]
        indexes = [models.Index(fields=["path"], name="store_path")]

    def __str__(self) -> str:
        return self.name
