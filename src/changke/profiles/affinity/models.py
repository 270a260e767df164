"""What a purchase says about needs: rules that put a tag on whoever bought a thing."""

from django.db import models

from changke.facts.catalog.models import Category, Item


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
