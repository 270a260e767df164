"""What purchases say about needs: rules that put a tag on whoever bought a thing, what is proposed to her, and what
goes together over the chain, counted per home store so that stores add up."""

from django.contrib.postgres.fields import ArrayField
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
    had = models.JSONField(default=dict, db_default={})
    """Of items that a tag may ask for and she had: number -> days and the last of them."""


class AffinityFit(models.Model):
    """The weights that a night proposed by: what was learnt, from what, and how they met next baskets. Its card."""

    fitted_at = models.DateTimeField()
    observation_end = models.DateField(unique=True)
    """The last day that it knew."""
    customers = models.BigIntegerField()
    items = models.BigIntegerField()
    lines = models.BigIntegerField()
    """Things had on a day by a customer, of two years."""
    baskets = models.BigIntegerField()
    """Next baskets that it learnt from; 0: the shipped weights."""
    first_day = models.DateField(null=True)
    parameters = models.JSONField()
    """As `engine.affinity.Weights` writes and reads them."""
    fallback = models.CharField(max_length=20, blank=True, default="")
    """`few_baskets` where they are the shipped ones; empty where they were learnt."""
    holdout = models.JSONField(null=True)
    """Its report card, measured once a week (`engine.affinity.Examined`); NULL where there was too little for one."""
    examined_on = models.DateField(null=True)
    """The day on which that was tried last."""

    def __str__(self) -> str:
        return f"proposals of {self.observation_end}"


class Need(models.Model):
    """Who wears the tag needs the item, or anything of the category: what a tag asks for."""

    tag = models.CharField(max_length=60)
    item = models.ForeignKey(Item, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["tag", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(item__isnull=True) ^ models.Q(category__isnull=True), name="need_is_for_one"
            ),
            models.UniqueConstraint(fields=["tag", "item", "category"], name="need_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.tag}: {self.item or self.category}"


class Favourite(models.Model):
    """What a group of the whole chain has most, for whoever bought nothing yet; and what wearers of a tag have more
    often than others. Counted anew every night."""

    as_of = models.DateField()
    trait = models.CharField(max_length=8)
    """One of `Trait`, `home`, `all` or `tag`."""
    value = models.CharField(max_length=60)
    """Of the trait: `30`, `f`, a stage, the number of the home store, empty, the tag."""
    place = models.PositiveSmallIntegerField()
    item_id = models.BigIntegerField()
    customers = models.IntegerField()
    """Of the group, who had it."""
    members = models.IntegerField()
    """Of the group, who had anything."""
    lift_low_milli = models.IntegerField(null=True)
    """Of a tag: how many times as often as others at least, in thousandths."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trait", "value", "place"], name="favourite_once")]


class Trait(models.TextChoices):
    """By what customers are grouped when we ask what a group has most."""

    AGE = "age"
    """Ten years: `30` are those from 30 to 39."""
    GENDER = "gender"
    STAGE = "stage"
    """Of the default model."""


class Counted(models.Model):
    """Counts of the customers at home in a store, all written anew by one night (docs/algorithms/affinity.md). Items
    are named by their number alone: one that is gone is told of no more."""

    store_id = models.BigIntegerField(null=True)

    class Meta:
        abstract = True


class Basis(Counted):
    """What the counts of a store stand on."""

    as_of = models.DateField()
    receipts = models.IntegerField()
    """Sales and uses of two years."""
    with_lines = models.IntegerField()
    """Of them, those that say which service or good."""
    first_on = models.DateField()
    """The first of them in the years that seasons are read from."""
    customers = models.IntegerField()
    """Of lines, like the baskets: her items of one day."""
    baskets = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store_id"], name="basis_once", nulls_distinct=False)]


class ItemCount(Counted):
    """How many had an item, of those items that stand in a pair."""

    item_id = models.BigIntegerField()
    customers = models.IntegerField()
    baskets = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store_id", "item_id"], name="item_count_once", nulls_distinct=False)
        ]


class PairCount(Counted):
    """How many had two items that stand out over the chain. The item with the smaller number comes first."""

    item_id = models.BigIntegerField()
    other_id = models.BigIntegerField()
    customers = models.IntegerField()
    baskets = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store_id", "item_id", "other_id"], name="pair_count_once", nulls_distinct=False
            )
        ]


class StarterCount(Counted):
    """Who began with two items, who with the more common one (`item_id`) alone, and who of them came back in time."""

    item_id = models.BigIntegerField()
    other_id = models.BigIntegerField()
    customers = models.IntegerField()
    returned = models.IntegerField()
    alone = models.IntegerField()
    alone_returned = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store_id", "item_id", "other_id"], name="starter_count_once", nulls_distinct=False
            )
        ]


class SeasonCount(Counted):
    """Days on which an item was had, in each of the twelve months from that of the day on, and in the year around it,
    in up to three earlier years: months one after the other, of each its years, the latest first."""

    item_id = models.BigIntegerField()
    seen = ArrayField(models.IntegerField())
    around = ArrayField(models.IntegerField())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store_id", "item_id"], name="season_count_once", nulls_distinct=False)
        ]


class GroupCount(Counted):
    """Customers of a group who had an item in the last days; without an item, those who had anything."""

    trait = models.CharField(max_length=8, choices=Trait.choices)
    value = models.CharField(max_length=40)
    item_id = models.BigIntegerField(null=True)
    customers = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store_id", "trait", "value", "item_id"], name="group_count_once", nulls_distinct=False
            )
        ]
