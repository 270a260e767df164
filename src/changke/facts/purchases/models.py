"""Receipts, their lines and tenders, returns as further facts, and openings of old systems.

What a receipt, a line or a tender names is checked by the set (`db_constraint=False`): docs/decisions/0089.
"""

from django.conf import settings
from django.db import models

from changke.facts.catalog.models import Item
from changke.facts.customers.models import Customer, happened
from changke.foundation.database.append_only import AppendOnly, Fact, fact_constraints, fact_indexes
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import ScopedQuerySet


class ReceiptKind(models.TextChoices):
    SALE = "sale"
    USE = "use"
    RETURN = "return"


class MarginBasis(models.TextChoices):
    COST = "cost"
    PERCENT = "percent"
    MIXED = "mixed"
    UNKNOWN = "unknown"


class Receipt(Fact):
    """One visit to the till.

    sale    money came in, or everything was given free
    use     paid wholly by stored value or card sessions: nothing came in, something was rendered
    return  something is given back: amounts are positive and mean "back"

    `cash_minor` is money received (services, products, cards, top-ups paid with real money); `consumed_minor` is the
    value of services and products rendered. Selling a card is cash and no consumption; using it is consumption and no
    cash: no yuan counts twice within one meaning.
    """

    batch = models.ForeignKey(
        "foundation.Batch", on_delete=models.PROTECT, db_constraint=False, null=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=6, choices=ReceiptKind.choices)
    number = models.CharField(max_length=80, blank=True)
    source = models.CharField(max_length=60, blank=True)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, db_constraint=False, null=True, related_name="+", db_index=False
    )
    store = models.ForeignKey(Store, on_delete=models.PROTECT, db_constraint=False, related_name="+", db_index=False)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_constraint=False,
        null=True,
        related_name="+",
        db_index=False,
    )
    original_number = models.CharField(max_length=80, blank=True)
    """A return names the receipt it gives back; the two meet by source, store and number, in whatever order they
    arrive."""
    cash_minor = models.BigIntegerField(default=0)
    consumed_minor = models.BigIntegerField(default=0)
    margin_minor = models.BigIntegerField(null=True)
    margin_basis = models.CharField(max_length=8, choices=MarginBasis.choices, default=MarginBasis.UNKNOWN)
    items = models.IntegerField(default=0)

    objects = ScopedQuerySet["Receipt"].as_manager()
    seen_by_person = staticmethod(happened)

    class Meta:
        constraints = fact_constraints("receipt")
        indexes = [
            *fact_indexes("receipt"),
            models.Index(
                fields=["customer", "business_date"],
                include=[
                    "kind",
                    "id",
                    "store",
                    "cash_minor",
                    "consumed_minor",
                    "margin_minor",
                    "margin_basis",
                    "items",
                ],
                condition=models.Q(withdrawn_by__isnull=True, customer__isnull=False),
                name="receipt_of_customer",
            ),
            # Most customers have none, and each of their purchases asks.
            models.Index(
                fields=["customer"],
                condition=models.Q(kind="return", withdrawn_by__isnull=True, customer__isnull=False),
                name="return_of_customer",
            ),
            models.Index(fields=["store", "business_date"], name="receipt_store_day"),
            models.Index(fields=["number"], name="receipt_number", condition=~models.Q(number="")),
            models.Index(fields=["original_number"], name="receipt_original", condition=~models.Q(original_number="")),
        ]


class Line(AppendOnly):
    receipt = models.ForeignKey(
        Receipt, on_delete=models.PROTECT, db_constraint=False, related_name="lines", db_index=False
    )
    position = models.PositiveIntegerField()
    item = models.ForeignKey(
        Item, on_delete=models.PROTECT, db_constraint=False, null=True, related_name="+", db_index=False
    )
    description = models.CharField(max_length=200, blank=True)
    quantity_milli = models.BigIntegerField(default=1000)
    unit_price_minor = models.BigIntegerField(default=0)
    amount_minor = models.BigIntegerField(default=0)
    cost_minor = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["receipt", "position"], name="line_position")]


class TenderKind(models.TextChoices):
    CASH = "cash"
    CARD = "card"
    WECHAT = "wechat"
    ALIPAY = "alipay"
    STORED_VALUE = "stored_value"
    SESSION = "session"
    POINTS = "points"
    OTHER = "other"


NO_NEW_MONEY = frozenset({TenderKind.STORED_VALUE, TenderKind.SESSION, TenderKind.POINTS})
"""Tenders by which nothing comes in: the money came when the card was sold."""


class Tender(AppendOnly):
    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, db_constraint=False, related_name="tenders")
    kind = models.CharField(max_length=12, choices=TenderKind.choices)
    amount_minor = models.BigIntegerField()


class WaitingReturn(models.Model):
    """A return whose purchase has not come yet. No fact: it is in no number until the purchase comes, or until somebody
    decides that it never will.

    Whom it names is not kept: a return belongs to whoever bought. So it holds nothing personal.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False)
    source = models.CharField(max_length=60, blank=True)
    original_number = models.CharField(max_length=80)
    source_key = models.CharField(max_length=200, unique=True)
    number = models.CharField(max_length=80, blank=True)
    amount_minor = models.BigIntegerField()
    happened_at = models.DateTimeField()
    waiting_since = models.DateTimeField()
    told = models.JSONField()
    """Lines, tenders and staff, as they will be recorded."""
    refusal = models.CharField(max_length=60, blank=True)
    """Code of the refusal, where the purchase came and the two do not fit."""

    objects = ScopedQuerySet["WaitingReturn"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["original_number", "store", "source"], name="waiting_return_for")]


class Opening(Fact):
    """The summary line of an old system: so many purchases between two days, no receipts.

    `business_date` is `last_on`; `happened_at` its midnight in the store.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    first_on = models.DateField()
    last_on = models.DateField()
    purchases = models.PositiveIntegerField()
    cash_minor = models.BigIntegerField(default=0)

    objects = ScopedQuerySet["Opening"].as_manager()
    seen_by_person = staticmethod(happened)

    class Meta:
        constraints = [
            *fact_constraints("opening"),
            models.CheckConstraint(condition=models.Q(last_on__gte=models.F("first_on")), name="opening_days_in_order"),
        ]
        indexes = [*fact_indexes("opening"), models.Index(fields=["customer"], name="opening_customer")]
