"""Pairs of records that may be of one person, and what somebody decided."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from changke.facts.customers.models import Customer


class State(models.TextChoices):
    PROPOSED = "proposed"
    MERGED = "merged"
    NOT_SAME = "not_same"


class Duplicate(models.Model):
    """Two records, the smaller number first. Found by a rule, decided by a person; what was refused is kept, so that it
    is not proposed again."""

    # Both are asked: half a pair would tell of somebody whom one may not see.
    ROWS_OF = (
        "EXISTS (SELECT 1 FROM facts_customer AS whose WHERE whose.id = facts_duplicate.one_id)"
        " AND EXISTS (SELECT 1 FROM facts_customer AS whose WHERE whose.id = facts_duplicate.other_id)"
    )

    one = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    other = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=20)
    score = models.PositiveSmallIntegerField()
    why = ArrayField(models.CharField(max_length=20), default=list)
    """What both have in common, as codes (`rules.SIGNALS`); the values stand in the records alone."""
    found_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    decided_at = models.DateTimeField(null=True)
    """Of a pair that waits: when somebody took the decision back."""
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    """None where a machine's key decided; which stands in the audit trail."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="duplicate_once"),
            models.CheckConstraint(condition=models.Q(one__lt=models.F("other")), name="duplicate_smaller_first"),
        ]
        indexes = [
            models.Index(fields=["-score", "id"], name="duplicate_open", condition=models.Q(state="proposed")),
            models.Index(fields=["-decided_at", "-id"], name="duplicate_done", condition=~models.Q(state="proposed")),
        ]
