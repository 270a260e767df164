"""Fields that a chain adds to its customers' profiles, and what stands in them."""

from django.db import models

from changke.facts.customers.models import Customer
from changke.facts.fields import rules
from changke.foundation.database.append_only import Xid8Field, current_xid


class Field(models.Model):
    """The definition of one field. Retired ones keep their values and are asked no more."""

    key = models.CharField(max_length=40, unique=True)
    """What machines and conditions call it; never changes."""
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in rules.KINDS])
    labels = models.JSONField(default=dict)
    """Language to words."""
    choices = models.JSONField(default=list)
    required = models.BooleanField(default=False)
    minimum = models.BigIntegerField(null=True)
    maximum = models.BigIntegerField(null=True)
    roles = models.JSONField(default=list)
    """Who sees it; empty is everybody who sees the customer."""
    position = models.PositiveIntegerField(default=100)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.label("zh-hans")

    @property
    def rule(self) -> rules.Rule:
        return rules.Rule(self.kind, tuple(self.choices), self.minimum, self.maximum, self.required)

    def label(self, language: str) -> str:
        """In the language, else in the chain's first, else the key."""
        said = self.labels.get(language) or next(iter(self.labels.values()), "")
        return said or self.key


class FieldValue(models.Model):
    """What stands in a field of a customer: one of text, number and day by the kind. A row per value, typed, so that
    one index serves any field; emptied and never deleted, so that the mirror sees it go."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    field = models.ForeignKey(Field, on_delete=models.PROTECT, related_name="+", db_index=False)
    text = models.CharField(max_length=4_000, null=True)
    number = models.BigIntegerField(null=True)
    day = models.DateField(null=True)
    txid = Xid8Field(db_default=current_xid(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "field"], name="field_value_once")]
        indexes = [
            models.Index(fields=["field", "text"], name="field_value_text", condition=models.Q(text__isnull=False)),
            models.Index(fields=["field", "number"], name="field_value_num", condition=models.Q(number__isnull=False)),
            models.Index(fields=["field", "day"], name="field_value_day", condition=models.Q(day__isnull=False)),
            models.Index(fields=["txid"], name="field_value_txid"),
        ]

    @property
    def plain(self) -> rules.Plain:
        return rules.plain(self.field.kind, self.text, self.number, self.day)


class FieldReplaced(models.Model):
    """What a batch wrote over in a field of a customer known before it: the values as they are handed about. Kept for
    the undo and used up by it; no fact, so that it can be erased with the person."""

    batch = models.ForeignKey("foundation.Batch", on_delete=models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    field = models.ForeignKey(Field, on_delete=models.PROTECT, related_name="+", db_index=False)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "customer", "field"], name="field_replaced_once")]
        indexes = [models.Index(fields=["customer", "field"], name="field_replaced_customer")]
