"""What was learned of the chain, and what follows from it for each customer."""

from django.db import models

from changke.engine.prediction.holidays import CALENDAR, CALENDARS
from changke.facts.catalog.models import Category
from changke.facts.customers.models import Customer

HORIZON_DAYS = 90
DISCOUNT_PERCENT = 10
WORTH_YEARS = 3


class ValueRules(models.Model):
    """The chain's numbers of this room. Without a row the defaults hold."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    horizon_days = models.PositiveIntegerField(default=HORIZON_DAYS)
    """How far ahead is looked."""
    margin_percent = models.PositiveIntegerField(null=True)
    """The share of the money that stays where receipts do not say it. Unknown is never guessed: then values are
    revenue."""
    discount_percent = models.PositiveIntegerField(default=DISCOUNT_PERCENT)
    """How much less money is worth in a year."""
    worth_years = models.PositiveSmallIntegerField(default=WORTH_YEARS, db_default=WORTH_YEARS)
    """How many years ahead the discounted worth counts."""
    calendar = models.CharField(max_length=20, default=CALENDAR, db_default=CALENDAR)
    """Whose holidays count that move from year to year; "none" for nobody's."""
    bands = models.JSONField(default=dict, db_default={})
    """Bounds of the grid by what they divide (`rules.BANDS`); what is not named stands in fifths."""
    target_age_from = models.PositiveSmallIntegerField(null=True)
    target_age_until = models.PositiveSmallIntegerField(null=True)
    """The ages that the chain is made for: until she is that old she may stay a customer."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(only=True), name="one_value_rules"),
            models.CheckConstraint(
                condition=models.Q(
                    horizon_days__gte=7,
                    horizon_days__lte=730,
                    discount_percent__lte=100,
                    worth_years__gte=1,
                    worth_years__lte=10,
                    calendar__in=sorted(CALENDARS),
                )
                & (models.Q(margin_percent__isnull=True) | models.Q(margin_percent__lte=100)),
                name="value_rules_in_bounds",
            ),
        ]


class ValueFit(models.Model):
    """What was learned at a moment: the models, and how the same recipe met a past that was kept from it."""

    fitted_at = models.DateTimeField()
    observation_end = models.DateField()
    """The last day that it knew."""
    horizon_days = models.PositiveIntegerField()
    customers = models.BigIntegerField()
    """With at least one purchase day."""
    purchase_days = models.BigIntegerField()
    first_day = models.DateField(null=True)
    parameters = models.JSONField()
    """As `engine.prediction.fitted.Fitted` writes and reads them."""
    fallbacks = models.JSONField(default=dict)
    """Model -> why it is not the plain optimum, as a code. Empty where every model learned freely."""
    holdout = models.JSONField(null=True)
    """Its report card, or NULL where the past is too short or the customers are too few for one."""
    margins = models.JSONField(default=dict, db_default={})
    """What receipts say of the share that stays, as `margins.Margins` writes it; empty in fits of before."""
    seconds = models.JSONField(default=dict)
    """Part -> how long it took."""

    class Meta:
        indexes = [models.Index(fields=["-fitted_at"], name="value_fit_latest")]

    @property
    def calendar(self) -> str:
        """Whose holidays it knows; fits of before knew none."""
        return str(self.parameters.get("calendar", {}).get("name", "none"))

    def __str__(self) -> str:
        return f"fit of {self.observation_end}, {self.horizon_days} days ahead"


class LineAge(models.Model):
    """Who of a home store, born in a year, bought or used something of a product line. Counted anew every night."""

    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="+", db_index=False)
    store_id = models.BigIntegerField(null=True)
    birth_year = models.PositiveSmallIntegerField(null=True)
    as_of = models.DateField()
    customers = models.IntegerField()
    """Who ever did."""
    bought = models.IntegerField()
    """Who did in the 365 days up to `as_of`."""
    before = models.IntegerField()
    """Who did in the 365 days before those."""
    stayed = models.IntegerField()
    """Who did in both."""
    held_days = models.BigIntegerField()
    """Days from the first to the last time, of all of them together."""
    spent_minor = models.BigIntegerField()
    """Amounts of the lines of 365 days, uses included."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["category", "store_id", "birth_year"], name="line_age_once", nulls_distinct=False
            )
        ]


class Prediction(models.Model):
    """What is to be expected of one customer in the horizon of the fit. Derived: computed anew every night."""

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    fit = models.ForeignKey(
        ValueFit, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    as_of = models.DateField()
    """The chain's day that it speaks from."""
    snapshot = models.BigIntegerField()
    """It knows every transaction below this id. An older one never overwrites a newer."""
    horizon_days = models.PositiveIntegerField()
    p_active_bp = models.PositiveIntegerField()
    """Chance of at least one purchase day in the horizon, in basis points; beside it the lowest and highest model."""
    p_active_low_bp = models.PositiveIntegerField()
    p_active_high_bp = models.PositiveIntegerField()
    expected_purchases_milli = models.PositiveIntegerField()
    """Expected purchase days, in thousandths; beside it where four of five come to lie."""
    purchases_low_milli = models.PositiveIntegerField()
    purchases_high_milli = models.PositiveIntegerField()
    expected_spend_minor = models.BigIntegerField()
    spend_low_minor = models.BigIntegerField()
    spend_high_minor = models.BigIntegerField()
    value_year_minor = models.BigIntegerField()
    """What stays of the money of the coming 365 days, later money being less: the annual value; beside it where four of
    five come to lie."""
    value_year_low_minor = models.BigIntegerField(default=0, db_default=0)
    value_year_high_minor = models.BigIntegerField(default=0, db_default=0)
    worth_minor = models.BigIntegerField(default=0, db_default=0)
    """The same of the years that the chain counts: her discounted worth."""
    margin_bp = models.PositiveIntegerField(null=True)
    """The share that stays in both, in basis points. NULL: unknown, both are revenue."""

    class Meta:
        # Orders of the customer list. All move every night, as every row does: docs/benchmarks.md says at what cost.
        indexes = [
            models.Index(fields=["-value_year_minor", "customer"], name="prediction_value"),
            models.Index(fields=["-p_active_bp", "customer"], name="prediction_active"),
            models.Index(fields=["-expected_purchases_milli", "customer"], name="prediction_purchases"),
            models.Index(fields=["-expected_spend_minor", "customer"], name="prediction_spend"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} as of {self.as_of}"
