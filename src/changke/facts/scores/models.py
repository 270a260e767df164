"""Scores that a chain's own models give, and what they said of whom on which day."""

from django.db import models

from changke.facts.customers.models import Customer
from changke.facts.scores import rules
from changke.foundation.database.append_only import Xid8Field, current_xid


class Score(models.Model):
    """The definition of one score. A retired one keeps what was said and is asked no more."""

    key = models.CharField(max_length=40, unique=True)
    """What files, machines and conditions call it; never changes."""
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in rules.KINDS])
    labels = models.JSONField(default=dict)
    """Language to words."""
    roles = models.JSONField(default=list)
    """Who sees it; empty is everybody who sees the customer."""
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.label("zh-hans")

    def label(self, language: str) -> str:
        """In the language, else in the chain's first, else the key."""
        said = self.labels.get(language) or next(iter(self.labels.values()), "")
        return said or self.key


class ScoreValue(models.Model):
    """What a score says of a customer as of a day. A further row corrects it, undoing its batch withdraws it; erasing
    the person empties it, and the row stays, so that the mirror sees it go."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    score = models.ForeignKey(Score, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.BigIntegerField(null=True)
    text = models.CharField(max_length=rules.LONGEST_LABEL, null=True)
    scored_on = models.DateField()
    batch = models.ForeignKey("foundation.Batch", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    withdrawn_by = models.ForeignKey(
        "foundation.Batch", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    txid = Xid8Field(db_default=current_xid(), editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["customer", "score", "-scored_on", "-id"],
                name="score_value_latest",
                condition=models.Q(withdrawn_by__isnull=True),
            ),
            models.Index(fields=["batch"], name="score_value_batch", condition=models.Q(batch__isnull=False)),
            models.Index(fields=["txid"], name="score_value_txid"),
        ]
