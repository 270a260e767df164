"""What the shop's own past says of each rule, and the rule that warns."""

from django.db import models


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
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.threshold}"
