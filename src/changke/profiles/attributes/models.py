"""One wide typed row per customer, made from the headers of the definitions (ADR 10), and the population's values."""

from functools import partial

from django.db import models

from changke.facts.customers.models import Customer, whom
from changke.foundation.organisation.scope import ScopedQuerySet
from changke.profiles.attributes.catalogue import COLUMNS, POPULATION_TABLE, REGISTRY
from changke.profiles.attributes.columns import LONGEST_WORD, field_of


class Profile(models.Model):
    """Who a customer is now. Derived: it can be thrown away and computed again from the facts.

    Beside the columns below it has one typed column per attribute of the registry.
    """

    SCOPE_PATH = "home_store_id"

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    as_of = models.DateField()
    """The day that the row speaks of, in the zone of her home store."""
    snapshot = models.BigIntegerField()
    """The row knows every transaction below this id. An older one never overwrites a newer."""
    stage = models.CharField(max_length=LONGEST_WORD, default="")
    """Her stage in the default model, here because lists filter by it and sort by an attribute."""

    objects = ScopedQuerySet["Profile"].as_manager()
    seen_by_person = staticmethod(partial(whom, home="home_store_id"))

    class Meta:
        # None of these columns changes by the mere passing of a night, so that the nightly update touches no index.
        # What a list may filter by beside its order is included: a rare combination is found in the index alone.
        indexes = [
            models.Index(
                fields=["-value_at_risk", "customer"],
                include=["stage", "home_store_id", "value_group", "adviser_id"],
                name="profile_value",
            ),
            models.Index(
                fields=["stage", "-value_at_risk", "customer"],
                include=["home_store_id", "value_group", "adviser_id"],
                name="profile_stage_value",
            ),
            models.Index(
                fields=["home_store_id", "-value_at_risk", "customer"],
                include=["stage", "value_group", "adviser_id"],
                name="profile_store_value",
            ),
            models.Index(
                fields=["home_store_id", "stage", "-value_at_risk", "customer"],
                include=["value_group", "adviser_id"],
                name="profile_store_stage_value",
            ),
            models.Index(
                fields=["value_group", "-value_at_risk", "customer"], include=["stage"], name="profile_group_value"
            ),
            models.Index(
                fields=["value_group", "stage"],
                include=["home_store_id", "customer"],
                name="profile_group_stage_person",
            ),
            models.Index(
                fields=["customer"], include=["stage", "home_store_id", "value_at_risk"], name="profile_person"
            ),
            models.Index(
                fields=["adviser_id", "-value_at_risk", "customer"],
                include=["home_store_id", "stage", "value_group"],
                name="profile_adviser_worth",
            ),
            # Stage and last visit say nearly the same: the lost stand at the very end of everybody's order.
            models.Index(
                fields=["stage", "-last_active_on", "customer"],
                include=["home_store_id", "value_group", "adviser_id"],
                name="profile_stage_active",
            ),
            models.Index(
                fields=["stage", "-net_spend", "customer"],
                include=["home_store_id", "value_group", "adviser_id"],
                name="profile_stage_spend",
            ),
            models.Index(fields=["-last_active_on", "customer"], name="profile_active"),
            models.Index(fields=["home_store_id", "-last_active_on", "customer"], name="profile_store_active"),
            models.Index(fields=["-net_spend", "customer"], name="profile_spend"),
            models.Index(fields=["home_store_id", "-net_spend", "customer"], name="profile_store_spend"),
            models.Index(fields=["home_store_id", "expected_next_visit_on"], name="profile_store_expected"),
            models.Index(fields=["home_store_id", "first_purchase_on"], name="profile_store_first"),
            # Few brought anybody: the list of those who did is as short as they are.
            models.Index(
                fields=["-referral_value", "customer"],
                include=["home_store_id"],
                condition=models.Q(referred_customers__gt=0),
                name="profile_referral",
            ),
            models.Index(fields=["customer"], condition=models.Q(was_brought=True), name="profile_brought"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} as of {self.as_of}"


LATER = frozenset({"referred_customers", "referral_value", "referral_value_365d", "was_brought"})
"""Columns that came after the table: amounts and counts that are 0, and a no, where nothing happened."""

for _name in COLUMNS:
    field_of(REGISTRY.attributes[_name], later=_name in LATER).contribute_to_class(Profile, _name)


class PopulationVersion(models.Model):
    """One computation of everything that is relative to the population. Its values stand in `population_tables`."""

    as_of = models.DateField()
    snapshot = models.BigIntegerField()
    computed_at = models.DateTimeField()
    nightly = models.BooleanField(default=True)
    """False for a month end of the past, computed for the charts."""

    class Meta:
        indexes = [models.Index(fields=["as_of"], name="population_as_of")]


class BulkRun(models.Model):
    """The last complete run over everybody: what single customers are placed in until the next."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    as_of = models.DateField()
    """The chain's day."""
    snapshot = models.BigIntegerField()
    version = models.ForeignKey(PopulationVersion, on_delete=models.PROTECT, related_name="+")
    rules = models.JSONField(default=dict)
    """Version of every lifecycle model that it computed."""
    finished_at = models.DateTimeField()
    customers = models.BigIntegerField()
    written = models.BigIntegerField()
    """Rows that were new or had changed."""
    changed = models.BigIntegerField(default=0)
    """Stages that changed."""

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="one_bulk_run")]


def _population_model(name: str) -> type[models.Model]:
    table = POPULATION_TABLE.format(name=name)
    body: dict[str, object] = {
        "__module__": __name__,
        "__doc__": f"Stored values of the definition {name}.",
        "version": models.OneToOneField(
            PopulationVersion, primary_key=True, db_column="version", on_delete=models.CASCADE, related_name="+"
        ),
        "Meta": type("Meta", (), {"db_table": table}),
    }
    body |= {column.name: field_of(column) for column in REGISTRY.definitions[name].columns}
    return type("Population" + name.title().replace("_", ""), (models.Model,), body)


POPULATIONS = {definition.name: _population_model(definition.name) for definition in REGISTRY.populations}
"""Definition of grain population -> the model of its stored table: one row per version."""
