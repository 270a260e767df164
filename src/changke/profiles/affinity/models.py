"""What purchases say about needs: rules that put a tag on whoever bought a thing, and what is proposed to her."""

from django.db import models

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.models import Customer


class Occasion(models.TextChoices):
    """Which purchases a rule looks at."""

    FIRST_ORDER = "first_order"
    ANY = "any"


class TagRule(models.Model):
    """Whoever buys the item, or anything of the category, wears the tag, with the receipt as evidence."""

    name = models.CharField(max_length=60, unique=True)
    occasion = models.CharField(max_length=12, choices=Occasion.choices, default=Occasion.FIRST_ORDER)
    item = models.ForeignKey(Item, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    tag = models.CharField(max_length=60)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(item__isnull=True) ^ models.Q(category__isnull=True), name="tag_rule_looks_at_one"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Proposal(models.Model):
    """What to propose to a customer, best first, with the reasons as data. Derived: computed anew every night."""

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    as_of = models.DateField()
    items = models.JSONField()
    """Of each: item, chance_bp, reason, times, last_on, cycle_days, alike, similar, goes_with, recent_customers."""
