"""Published models, where everybody stands in them, and the series of the charts."""

from django.db import models

from changke.facts.customers.models import Customer
from changke.profiles.attributes.columns import LONGEST_WORD


class StageModel(models.Model):
    """One lifecycle model of the chain, in its latest version. `definition` is the JSON as written, naming settings."""

    key = models.CharField(max_length=LONGEST_WORD, unique=True)
    definition = models.JSONField()
    settings = models.JSONField(default=dict)
    """The chain's numbers that this version was published with."""
    version = models.PositiveIntegerField(default=1)
    """Grows when the definition or one of its numbers changes."""
    is_in_use = models.BooleanField(default=True, db_default=True)
    """Computed for everybody. One that is not keeps its definition and its past."""
    is_default = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_stage_model"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"


class Standing(models.Model):
    """The stage of a customer in a model. Written only when it changes; the changes themselves are events."""

    pk = models.CompositePrimaryKey("customer_id", "model")
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    model = models.CharField(max_length=LONGEST_WORD)
    stage = models.CharField(max_length=LONGEST_WORD)
    since = models.DateField()
    """The day as of which the stage was first computed; the page recomputes the true day from facts."""
    previous = models.CharField(max_length=LONGEST_WORD, default="")

    class Meta:
        indexes = [models.Index(fields=["model", "stage", "customer"], name="standing_stage")]


class SeriesFill(models.Model):
    """Which days of the charts are computed, from what. Absent or outdated: the next refresh computes it."""

    day = models.DateField(primary_key=True)
    snapshot = models.BigIntegerField()
    rules = models.JSONField()
    """Version of every model at the time."""
    before = models.DateField(null=True)
    """The day that the flows come from."""
    filled_at = models.DateTimeField()
    behind_since = models.DateTimeField(null=True)
    """When somebody was computed whom the counts of this day do not know yet; NULL: none since they were counted."""


class StageCount(models.Model):
    """How many customers of a home store stood in a stage at the end of a day, and their value at risk."""

    day = models.DateField()
    model = models.CharField(max_length=LONGEST_WORD)
    stage = models.CharField(max_length=LONGEST_WORD)
    store_id = models.BigIntegerField(null=True)
    customers = models.IntegerField()
    value_minor = models.BigIntegerField()
    """Value at risk, in minor units of the chain's currency."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "day", "store_id", "stage"], name="stage_count_once", nulls_distinct=False
            )
        ]


class StageProfit(models.Model):
    """What the customers of a home store who stood in a stage at the end of a day had brought since the day of the
    charts before: a month. A stage without a receipt has no row."""

    day = models.DateField()
    model = models.CharField(max_length=LONGEST_WORD)
    stage = models.CharField(max_length=LONGEST_WORD)
    store_id = models.BigIntegerField(null=True)
    margin_minor = models.BigIntegerField(null=True)
    """NULL: of none of it a profit is known."""
    revenue_minor = models.BigIntegerField()
    """What was rendered less what was given back."""
    known_minor = models.BigIntegerField()
    """The part of the revenue of which a profit is known."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "day", "store_id", "stage"], name="stage_profit_once", nulls_distinct=False
            )
        ]


class StageFlow(models.Model):
    """How many customers of a home store went from a stage to a stage between two days of the charts."""

    day = models.DateField()
    """The later day; the earlier is `before` of its SeriesFill."""
    model = models.CharField(max_length=LONGEST_WORD)
    store_id = models.BigIntegerField(null=True)
    from_stage = models.CharField(max_length=LONGEST_WORD, default="")
    """Empty: not known yet on the earlier day."""
    to_stage = models.CharField(max_length=LONGEST_WORD)
    customers = models.IntegerField()
    value_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "day", "store_id", "from_stage", "to_stage"],
                name="stage_flow_once",
                nulls_distinct=False,
            )
        ]


class StageSpell(models.Model):
    """A time in a stage of one of the sampled customers, without whose it is (services/spells.py)."""

    model = models.CharField(max_length=LONGEST_WORD)
    stage = models.CharField(max_length=LONGEST_WORD)
    store_id = models.BigIntegerField(null=True)
    """Her home store."""
    first_on = models.DateField()
    last_on = models.DateField(null=True)
    """NULL: she is still there."""
    weight_milli = models.PositiveBigIntegerField()
    """How many customers it stands for, in thousandths."""
    as_of = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["model", "stage"], name="stage_spell")]


class StoreMonth(models.Model):
    """What happened in a store in a month, of customers who are known: the counts that its health is read from."""

    day = models.DateField()
    """The last day counted: a month's end, or today."""
    store_id = models.BigIntegerField()
    is_whole = models.BooleanField()
    """The month is over. The running one is counted so far."""
    buyers = models.IntegerField()
    """Customers with a purchase or card use here."""
    newcomers = models.IntegerField()
    """Of them, those who had never bought anywhere before the month."""
    deal_days = models.IntegerField()
    """Customers times days on which they bought here."""
    base = models.IntegerField()
    """Customers who had bought here in the 90 days that end 90 days before `day`."""
    came_back = models.IntegerField()
    """Of them, those who bought anywhere in the 90 days up to `day`."""
    margin_minor = models.BigIntegerField(null=True)
    """NULL: of none of it a profit is known."""
    revenue_minor = models.BigIntegerField()
    known_minor = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store_id", "day"], name="store_month_once")]


class ReplayState(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class StageReplay(models.Model):
    """Rules asked of past days beside those of now: what was asked, and how many would have stood where."""

    state = models.CharField(max_length=8, choices=ReplayState.choices, default=ReplayState.WAITING)
    definition = models.JSONField()
    months = models.PositiveSmallIntegerField(default=0)
    """Month ends up to today, and today; none if 0."""
    days = models.JSONField(default=list)
    """Further days, as 2026-02-28."""
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    """Days computed so far, and in all."""
    finished_at = models.DateTimeField(null=True)
    rows = models.JSONField(default=list)
    """One per day, oldest first: day, before, after, differing, moves (was, will, customers, value_minor)."""

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"#{self.pk} {self.state}"

    @property
    def is_busy(self) -> bool:
        return self.state in {ReplayState.WAITING, ReplayState.RUNNING}
