"""A group, and who is in it since when and until when, and why."""

from django.db import models

from changke.facts.customers.models import Customer

LONGEST_KEY = 40


class Why(models.TextChoices):
    """Why somebody entered or left: what made us ask. Rows from before this was kept say nothing."""

    FACT = "fact"
    """Something new was known of her."""
    IMPORT = "import"
    """All that was new of her came with a file, or went with its undo."""
    REFRESH = "refresh"
    """Everybody was asked: a day went by, or very many had news at once."""
    PUBLISH = "publish"
    """The group was saved: it asks something else, or is followed from here on."""
    FREEZE = "freeze"
    """Written down, as a list that stays."""
    UNTRACK = "untrack"
    """The group is followed no more."""
    DROP = "drop"
    """The group is gone."""


LONGEST_WHY = 8


class LivingSegments(models.Manager["Segment"]):
    """Of a group that was dropped only who came and went is kept; nobody finds it any more."""

    def get_queryset(self) -> "models.QuerySet[Segment]":
        return super().get_queryset().filter(dropped_at__isnull=True)


class Segment(models.Model):
    """A saved audience. `tree` is what is asked, `text` the same as people write it; a frozen one asks nothing."""

    key = models.CharField(max_length=LONGEST_KEY)
    name = models.CharField(max_length=60)
    text = models.TextField(blank=True)
    tree = models.JSONField(null=True)
    is_static = models.BooleanField(default=False, db_default=False)
    """Frozen: its members were written down once and stay."""
    is_tracked = models.BooleanField(default=True, db_default=True)
    """Who enters and who leaves is written down."""
    tracked_since = models.DateTimeField(null=True)
    """From then on without a gap: before it nobody can say who was in it. NULL: not followed."""
    version = models.PositiveIntegerField(default=1, db_default=1)
    """Counts what it asks: another condition is another version. What each asked stands in the audit trail."""
    dropped_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    refreshed_at = models.DateTimeField(null=True)
    """When the members were last brought up to date for everybody."""

    objects = LivingSegments()
    all_ever = models.Manager()

    class Meta:
        ordering = ["name"]
        base_manager_name = "all_ever"
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(dropped_at__isnull=True), name="segment_key_of_the_living"
            ),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(dropped_at__isnull=True), name="segment_name_of_the_living"
            ),
            models.CheckConstraint(
                condition=models.Q(is_static=True, tree__isnull=True) | models.Q(is_static=False, tree__isnull=False),
                name="segment_asks_or_is_frozen",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    """She was in the group from one moment until another; `left_at` is NULL while she is. Both ends are facts: a
    trigger keeps that a stay is ended once and never becomes another. Only erasing her takes it away."""

    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    entered_at = models.DateTimeField()
    entered_version = models.PositiveIntegerField(default=0, db_default=0)
    """What the group asked then; 0: from before this was kept."""
    entered_why = models.CharField(max_length=LONGEST_WHY, choices=Why.choices, blank=True, default="", db_default="")
    left_at = models.DateTimeField(null=True)
    left_version = models.PositiveIntegerField(null=True)
    left_why = models.CharField(max_length=LONGEST_WHY, choices=Why.choices, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "customer"], condition=models.Q(left_at__isnull=True), name="segment_member_now"
            ),
            models.CheckConstraint(
                condition=models.Q(left_at__isnull=True) | models.Q(left_at__gte=models.F("entered_at")),
                name="segment_left_after_entering",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "segment"], name="segment_member_customer"),
            models.Index(fields=["segment", "entered_at"], name="segment_member_entered"),
            models.Index(
                fields=["segment", "left_at"], condition=models.Q(left_at__isnull=False), name="segment_member_left"
            ),
        ]
