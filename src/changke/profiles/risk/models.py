"""What the shop's own past says of each rule, the rule that warns, of which lines of services, and its warnings."""

from django.db import models

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.models import Customer


class State(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Kind(models.TextChoices):
    """Which number a rule looks at."""

    FIXED = "fixed"
    """Days of silence."""
    OUTLOOK = "outlook"
    """The chance that she buys within the horizon, in basis points."""
    FALL = "fall"
    """The outlook in basis points of what it was on the day of her last purchase."""


class BackTest(models.Model):
    """Rules judged on the shop's own past: what was asked, what it was computed on, what came of it."""

    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    horizon_days = models.PositiveIntegerField()
    minimum_silence_days = models.PositiveIntegerField()
    least_purchases = models.PositiveIntegerField()
    wanted_precision_bp = models.PositiveIntegerField(null=True)
    wanted_weekly = models.PositiveIntegerField(null=True)
    """Warnings a week that staff can handle."""
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    """Thresholds tried so far, and in all."""
    finished_at = models.DateTimeField(null=True)
    first_on = models.DateField(null=True)
    last_on = models.DateField(null=True)
    cut_on = models.DateField(null=True)
    """The day up to which rules could learn; they are judged on what began after it."""
    used_horizon_days = models.PositiveIntegerField(null=True)
    used_lapse_days = models.PositiveIntegerField(null=True)
    customers = models.PositiveIntegerField(default=0)
    silences = models.PositiveIntegerField(default=0)
    has_signal = models.BooleanField(null=True)
    """NULL: too little is known to say."""
    signal_auc_bp = models.PositiveIntegerField(null=True)
    rows = models.JSONField(default=list)
    """One per rule: kind, threshold, chosen_by and how it did; shares in basis points."""

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(wanted_precision_bp__isnull=True) | models.Q(wanted_precision_bp__lte=10_000),
                name="backtest_precision_is_a_share",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.state}"

    @property
    def is_busy(self) -> bool:
        return self.state in {State.WAITING, State.RUNNING}


class RiskRule(models.Model):
    """A rule that warns, or once did. Where none is in use, the chain's fixed silent days hold alone."""

    kind = models.CharField(max_length=8, choices=Kind.choices)
    threshold = models.PositiveIntegerField()
    """Days, or basis points."""
    horizon_days = models.PositiveIntegerField()
    minimum_silence_days = models.PositiveIntegerField()
    least_purchases = models.PositiveIntegerField(default=1)
    latest_days = models.PositiveIntegerField(null=True)
    """Silent days after which an outlook or its fall warns at the latest; NULL: never by days alone."""
    per_line = models.BooleanField(default=False, db_default=False)
    """Whether it warns too of those who still come and have let a line of services go."""
    backtest = models.ForeignKey(BackTest, null=True, on_delete=models.PROTECT, related_name="+")
    """Where it was chosen from; none where somebody set it by hand."""
    chosen_by = models.CharField(max_length=200)
    is_in_use = models.BooleanField(default=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_in_use"], condition=models.Q(is_in_use=True), name="one_risk_rule_in_use"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="fixed") | models.Q(threshold__range=(1, 9_999)),
                name="risk_rule_threshold_is_a_share",
            ),
            models.CheckConstraint(
                condition=models.Q(latest_days__isnull=True)
                | (~models.Q(kind="fixed") & models.Q(latest_days__gt=models.F("minimum_silence_days"))),
                name="risk_rule_last_day_follows_the_first",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.threshold}"


class Refused(models.TextChoices):
    """Why a line of services warns of nobody."""

    FEW = "few"
    NO_SIGNAL = "no_signal"


class ServiceLine(models.Model):
    """A category of services, or a service that has none, and what its past says: when somebody is missed for it.
    Computed from facts, but for `is_on`."""

    category = models.OneToOneField(Category, null=True, on_delete=models.CASCADE, related_name="+")
    item = models.OneToOneField(Item, null=True, on_delete=models.CASCADE, related_name="+")
    is_on = models.BooleanField(default=True, db_default=True)
    """Whether it may warn; somebody's choice."""
    learned_on = models.DateField()
    cycle_days = models.PositiveIntegerField(default=0)
    """The usual gap between two days of the line; 0 where nobody had it twice."""
    threads = models.PositiveIntegerField(default=0)
    """Customers who had it on at least two days."""
    threshold_bp = models.PositiveIntegerField(default=0)
    """The outlook below which it warns, in basis points; 0: by `latest_days` alone."""
    latest_days = models.PositiveIntegerField(default=0)
    minimum_silence_days = models.PositiveIntegerField(default=0)
    horizon_days = models.PositiveIntegerField(default=0)
    lapse_days = models.PositiveIntegerField(default=0)
    refused = models.CharField(max_length=10, choices=Refused.choices, blank=True, default="")
    signal_auc_bp = models.PositiveIntegerField(null=True)
    rows = models.JSONField(default=list)
    """The rules side by side on its past, as those of a back-test."""

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(category__isnull=True, item__isnull=False)
                | models.Q(category__isnull=False, item__isnull=True),
                name="service_line_is_category_or_item",
            )
        ]

    def __str__(self) -> str:
        return str(self.category or self.item)


class RiskFit(models.Model):
    """The models that a night warned by: of everybody's purchase days, or of the days of one line. Their card."""

    line = models.ForeignKey(ServiceLine, null=True, on_delete=models.CASCADE, related_name="+")
    fitted_at = models.DateTimeField()
    observation_end = models.DateField()
    """The last day that it knew."""
    horizon_days = models.PositiveIntegerField()
    """Of the rule, or of the line: so many days the chance speaks of."""
    customers = models.BigIntegerField()
    returned = models.BigIntegerField()
    """Of them, those with more than one day."""
    purchase_days = models.BigIntegerField()
    first_day = models.DateField(null=True)
    parameters = models.JSONField()
    """Model -> name -> value; in rows from before, of BG/NBD alone and without its name: `models_of` reads both."""
    fallback = models.CharField(max_length=20, blank=True, default="")
    """Why it is not the plain optimum, as a code of `rules.held_by`; empty where it learned freely."""
    holdout = models.JSONField(null=True)
    """Its report card, measured once a week (`engine.churn.Examined`); NULL where there was too little for one."""
    examined_on = models.DateField(null=True)
    """The day on which that was tried last."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "observation_end"], name="risk_fit_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"warnings of {self.observation_end}"


class Ended(models.TextChoices):
    """How a warning ended."""

    CAME_BACK = "came_back"
    """By herself: nobody had reached her."""
    CAME_AFTER = "came_after"
    """After somebody had reached her."""
    LOST = "lost"
    GONE = "gone"
    """She is no customer of her own any more: merged, or only a withdrawn batch knew her."""
    REPLACED = "replaced"
    """Of a line of services: a warning about her as a whole took its place."""


class FiredBy(models.TextChoices):
    """Which part of a rule warned."""

    FIXED = "fixed"
    OUTLOOK = "outlook"
    FALL = "fall"
    LATEST = "latest"
    """The last day of a rule of outlook or fall, which alone would have waited."""


class ChurnWarning(models.Model):
    """Somebody may be leaving: one silence, why it was noticed, what became of it. Derived, but for its beginning."""

    # A store sees the warnings of the customers it sees, wherever their home is by now.
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    line = models.ForeignKey(ServiceLine, null=True, on_delete=models.CASCADE, related_name="+")
    """The line of services that she has let go while she still comes; NULL: she is silent as a whole."""
    silent_since = models.DateField()
    """The day she last bought or used a card, or last had the line: with customer and line, the silence."""
    rule = models.ForeignKey(RiskRule, on_delete=models.PROTECT, related_name="+")
    opened_on = models.DateField()
    opened_at = models.DateTimeField()
    fired_by = models.CharField(max_length=8, choices=FiredBy.choices, blank=True, default="", db_default="")
    """Empty in warnings from before rules had two parts: the kind of their rule."""
    purchases = models.PositiveIntegerField()
    """Purchase days so far, or days of the line."""
    gap_days = models.PositiveIntegerField(null=True)
    """Her own usual gap of the line when the warning began."""
    outlook_then_bp = models.PositiveIntegerField()
    """The chance that she buys within the rule's horizon, as it was on the day she bought last."""
    outlook_opened_bp = models.PositiveIntegerField()
    """The same when the warning began, and, below, as of the last night."""
    outlook_bp = models.PositiveIntegerField()
    expected_on = models.DateField(null=True)
    value_at_risk_minor = models.BigIntegerField(default=0)
    cause = models.CharField(max_length=12, blank=True, default="")
    causes = models.JSONField(default=list)
    """What may have driven her away, the weightiest first: cause, fact, day."""
    ended = models.CharField(max_length=10, choices=Ended.choices, blank=True, default="")
    """Empty while it is open."""
    ended_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "silent_since", "line"], name="one_warning_per_silence", nulls_distinct=False
            ),
            models.UniqueConstraint(
                fields=["customer", "line"],
                condition=models.Q(ended_on__isnull=True),
                name="one_open_warning",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(ended="", ended_on__isnull=True)
                | (~models.Q(ended="") & models.Q(ended_on__isnull=False)),
                name="warning_is_open_or_ended",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-value_at_risk_minor", "id"],
                condition=models.Q(ended_on__isnull=True),
                name="warning_open_value",
            ),
            models.Index(fields=["-opened_on", "customer"], name="warning_opened"),
        ]

    def __str__(self) -> str:
        return f"#{self.customer_id} since {self.silent_since}"

    @property
    def fired(self) -> str:
        """Which part of its rule warned, one of `FiredBy`."""
        return self.fired_by or self.rule.kind

    @property
    def horizon_days(self) -> int:
        """The days of which its outlook speaks."""
        return self.line.horizon_days if self.line else self.rule.horizon_days
