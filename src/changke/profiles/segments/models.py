"""A group, and who is in it since when and until when."""

from django.db import models

from changke.facts.customers.models import Customer

LONGEST_KEY = 40


class Segment(models.Model):
    """A saved audience. `tree` is what is asked, `text` the same as people write it; a frozen one asks nothing."""

    key = models.CharField(max_length=LONGEST_KEY, unique=True)
    name = models.CharField(max_length=60, unique=True)
    text = models.TextField(blank=True)
    tree = models.JSONField(null=True)
    is_static = models.BooleanField(default=False, db_default=False)
    """Frozen: its members were written down once and stay."""
    is_tracked = models.BooleanField(default=True, db_default=True)
    """Who enters and who leaves is written down."""
    changed_at = models.DateTimeField()
    refreshed_at = models.DateTimeField(null=True)
    """When the members were last brought up to date for everybody."""

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_static=True, tree__isnull=True) | models.Q(is_static=False, tree__isnull=False),
                name="segment_asks_or_is_frozen",
            )
        ]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    """She was in the group from one moment until another; `left_at` is NULL while she is. Rows are never taken back."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="+", db_index=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

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
