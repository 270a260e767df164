"""What a shop offers: services, products, cards."""

from django.db import models


class Category(models.Model):
    name = models.CharField(max_length=120, unique=True)
    margin_basis_points = models.PositiveIntegerField(null=True)
    """Margin of the category in 1/100 percent, used for items without a cost of their own."""

    def __str__(self) -> str:
        return self.name


class ItemKind(models.TextChoices):
    SERVICE = "service"
    PRODUCT = "product"
    CARD = "card"
    TOPUP = "topup"
    OTHER = "other"


class Item(models.Model):
    code = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=ItemKind.choices, default=ItemKind.OTHER)
    category = models.ForeignKey(Category, null=True, on_delete=models.PROTECT, related_name="+")
    price_minor = models.BigIntegerField(null=True)
    unit_cost_minor = models.BigIntegerField(null=True)
    usual_cycle_days = models.PositiveIntegerField(null=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["name"], name="item_name")]

    def __str__(self) -> str:
        return self.name
