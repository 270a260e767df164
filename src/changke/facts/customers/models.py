"""Persons: who they are, under which names we know them, what the stores noted about them."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.lookups import In

from changke.foundation.database.append_only import Fact, Xid8Field, current_xid, fact_constraints, fact_indexes
from changke.foundation.database.row_security import ANYWHERE, BY_ADVISER, HOMES, MINE, OWN, was_here
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import Scope, ScopedQuerySet


class Gender(models.TextChoices):
    FEMALE = "f"
    MALE = "m"
    UNKNOWN = ""


PERSON = Case(
    When(merged_into_id__isnull=True, then="id"), default="merged_into_id", output_field=models.BigIntegerField()
)
"""As whom a record is read: the index by it leads from a person to all her records. Not COALESCE: PostgreSQL takes that
for something that could leak and asks the policy first, of every record there is."""


class Customer(models.Model):
    """One record of a person. Profile fields are audited state, not facts: they hold today's knowledge."""

    SCOPE_PATH = "home_store_id"
    # A record that is read as another is seen by whoever sees that other, and by nobody else. The function asks for the
    # store of the other past the policy, which may not ask itself (docs/decisions/0040).
    ROWS_OF = (
        "CASE WHEN facts_customer.merged_into_id IS NULL THEN facts_customer.home_store_id"
        f" ELSE changke_home(facts_customer.merged_into_id) END = {HOMES} OR "
        + was_here("CASE WHEN facts_customer.merged_into_id IS NULL"
                   " THEN facts_customer.id ELSE facts_customer.merged_into_id END")
        + f" OR CASE WHEN {BY_ADVISER} > 0 THEN CASE WHEN facts_customer.merged_into_id IS NULL"
        f" THEN (facts_customer.adviser_id = {BY_ADVISER}"
        f" AND (facts_customer.home_store_id = {OWN} OR {ANYWHERE}))::int"
        " ELSE changke_advised(facts_customer.merged_into_id)::int END END = 1"
    )  # fmt: skip

    name = models.CharField(max_length=120, blank=True)
    pinyin = models.CharField(max_length=240, blank=True, db_collation="C")
    """Full pinyin without spaces, for the order of lists and for search; the name itself where it is not Chinese.
    Compared byte by byte, so that one index serves both order and prefix."""
    initials = models.CharField(max_length=60, blank=True, db_collation="C")
    name_grams = ArrayField(models.CharField(max_length=2), default=list)
    """One- and two-character pieces of the name: two-character searches are served by no trigram."""
    gender = models.CharField(max_length=1, choices=Gender.choices, default=Gender.UNKNOWN, blank=True)
    birth_year = models.PositiveSmallIntegerField(null=True)
    birth_month = models.PositiveSmallIntegerField(null=True)
    birth_day = models.PositiveSmallIntegerField(null=True)
    occupation = models.CharField(max_length=120, blank=True)
    income_band = models.CharField(max_length=60, blank=True)
    city = models.CharField(max_length=120, blank=True)
    interests = models.CharField(max_length=400, blank=True)
    living = models.CharField(max_length=400, blank=True)
    allergies = models.CharField(max_length=400, blank=True)
    source = models.CharField(max_length=80, blank=True)
    """Where she first came from: the first source stays."""
    home_store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    adviser = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    known_on = models.DateField()
    """The first day we know of her: registration or the earliest fact, whichever is earlier."""
    merged_into = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    """As whom this record is read now; None: as itself. Follows the living links (docs/algorithms/identity.md)."""
    is_active = models.BooleanField(default=True)
    is_erased = models.BooleanField(default=False, db_default=False)
    """Nothing says any more who she was; what she bought stays under her number. Never shown, never revived."""
    """False for a customer whom only a withdrawn batch knew: kept, shown nowhere."""
    batch = models.ForeignKey("foundation.Batch", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    recorded_at = models.DateTimeField()
    txid = Xid8Field(db_default=current_xid(), editable=False)
    """Renewed by every write, so that the mirror and the fold of profiles see the change."""

    objects = ScopedQuerySet["Customer"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["txid"], name="customer_txid"),
            models.Index(fields=["batch"], name="customer_batch", condition=models.Q(batch__isnull=False)),
            models.Index(fields=["home_store", "pinyin", "id"], name="customer_store_pinyin"),
            models.Index(fields=["pinyin", "id"], name="customer_pinyin"),
            models.Index(fields=["initials", "id"], name="customer_initials"),
            models.Index(fields=["birth_month", "birth_day", "home_store"], name="customer_birthday"),
            # What was written last waits on a list, which the next search reads too: eight pages of it, some 400 names,
            # cost a search nothing that can be measured, and a load half of what the index costs it.
            GinIndex(fields=["name_grams"], name="customer_name_grams", fastupdate=True, gin_pending_list_limit=64),
            models.Index(PERSON, name="customer_person"),
            models.Index(fields=["merged_into"], name="customer_merged", condition=models.Q(merged_into__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"

    @staticmethod
    def seen_by_person(scope: Scope) -> Q:
        return whom(scope, person="pk", home="home_store", read_as="merged_into")


class Guest(models.Model):
    """She bought or was served in this store: its receipts and services say so, and triggers on them write it down
    (docs/decisions/0092). Derived; a row goes when the last of them is withdrawn."""

    ROWS_OF = f"facts_guest.store_id = {MINE}"

    pk = models.CompositePrimaryKey("customer", "store")
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    person = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    """As whom she is read."""

    class Meta:
        indexes = [models.Index(fields=["store", "person"], name="guest_store")]


def whom(scope: Scope, *, person: str = "customer", home: str = "customer__home_store", read_as: str = "") -> Q:
    """Whom the scope sees: by her home, by her visits, by her adviser. `person`: as whom a row is read; of a record
    that may be read as another, `read_as` says whom."""
    if scope.store_ids is None:
        return Q()
    names = [person, read_as] if read_as else [person]
    if scope.adviser is not None and not scope.store_ids:  # hers alone: begun with them, whatever is asked
        return _any(Q(In(F(name), hers(scope).values("pk"))) for name in names)
    ways = [Q(**{f"{home}__in": scope.store_ids})]
    if scope.visited:  # looked up for each that is met, or all at once: the planner knows how many there are
        here = Guest.objects.filter(store__in=scope.visited)
        ways += [Q(Exists(here.filter(person=OuterRef(name)))) for name in names]
    if scope.adviser is not None:
        ways += [Q(In(F(name), hers(scope).values("pk"))) for name in names]
    return _any(ways)


def _any(ways: "Iterable[Q]") -> Q:
    return reduce(or_, ways)


def hers(scope: Scope) -> "QuerySet[Customer, Customer]":
    """Those of whom only the adviser's are seen."""
    mine = Customer.objects.filter(adviser=scope.adviser, merged_into__isnull=True).order_by()
    return mine if scope.own is None else mine.filter(home_store__in=scope.own)


def happened(scope: Scope) -> Q:
    """Facts that a scope by person sees: what happened in its stores, and where it sees only the customers of an
    adviser, theirs and nobody's."""
    seen = Q(store__in=scope.store_ids)
    if scope.adviser is not None:
        records = Customer.objects.order_by().alias(read_as=PERSON).filter(read_as__in=hers(scope).values("pk"))
        own = Q() if scope.own is None else Q(store__in=scope.own)
        seen |= own & (Q(customer__isnull=True) | Q(In(F("customer"), records.values("pk"))))
    return seen


class MergeLink(Fact):
    """Two records are of one person: `merged` is read as `into`. The fact is all that joins them; withdrawn, both are
    themselves again. `batch` holds what was carried over and gives it back."""

    merged = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    into = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    why = models.CharField(max_length=20)
    """The rule that proposed it, or `by_hand`."""
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            *fact_constraints("merge"),
            models.UniqueConstraint(
                fields=["merged"], condition=models.Q(withdrawn_by__isnull=True), name="merge_once_at_a_time"
            ),
            models.CheckConstraint(condition=~models.Q(merged=models.F("into")), name="merge_of_two"),
        ]
        indexes = [
            *fact_indexes("merge"),
            models.Index(fields=["into"], name="merge_into", condition=models.Q(withdrawn_by__isnull=True)),
        ]


class IdentifierKind(models.TextChoices):
    PHONE = "phone"
    EMAIL = "email"
    EXTERNAL = "external"
    WECOM = "wecom"
    UNIONID = "unionid"
    """Of a person in all applications of one WeChat account of the chain."""
    CARD = "card"
    """Number of a member card, whichever system reads it."""


class Identifier(models.Model):
    """A name under which a system knows her: normalised (E.164 for phones, lower case for e-mail).

    What names her to the world is sealed (docs/algorithms/encryption.md): it is written by `services.names` and read by
    `queries.values_of`, and found by its blind index. Numbers of the chain's own systems stand in `value` in clear.

    One record is found by it. Whoever else has the same phone or address keeps it as `shared`: told, dialled, searched,
    and never asked whose a fact is (docs/decisions/0041).
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="identifiers")
    kind = models.CharField(max_length=10, choices=IdentifierKind.choices)
    source = models.CharField(max_length=60, blank=True)
    """Which system speaks, for external ids; empty for phone, e-mail and WeCom."""
    value = models.CharField(max_length=200, null=True)
    """Of kinds in clear; NULL where the value is sealed."""
    sealed = models.BinaryField(null=True)
    blind = models.BigIntegerField(null=True)
    """By which a sealed value is found: 64 bits of its HMAC."""
    tail = models.BigIntegerField(null=True)
    """The same of a phone's last four digits."""
    key_version = models.SmallIntegerField(null=True)
    """Of the master key that both indexes were made with."""
    suppressed = models.BooleanField(default=False, db_default=False)
    """On the suppression list: kept, because it is hers, and used by no channel."""
    shared = models.BooleanField(default=False, db_default=False)
    """Another record is found by it."""
    batch = models.ForeignKey("foundation.Batch", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "source", "value"], name="identifier_once"),
            models.UniqueConstraint(
                fields=["kind", "blind"],
                name="identifier_finds_one",
                condition=models.Q(blind__isnull=False, shared=False),
            ),
            models.UniqueConstraint(
                fields=["kind", "blind", "customer"], name="identifier_shared_once", condition=models.Q(shared=True)
            ),
            models.CheckConstraint(
                condition=models.Q(value__isnull=False, sealed__isnull=True, blind__isnull=True)
                | models.Q(value__isnull=True, sealed__isnull=False, blind__isnull=False, key_version__isnull=False),
                name="identifier_clear_or_sealed",
            ),
        ]
        indexes = [
            models.Index(fields=["value"], name="identifier_value", opclasses=["text_pattern_ops"]),
            models.Index(fields=["tail", "customer"], name="identifier_tail", condition=models.Q(tail__isnull=False)),
        ]


class TagGroup(models.Model):
    """Tags that answer one question (skin, budget, temper). With `only_one` a new answer takes the place of the old."""

    name = models.CharField(max_length=60, unique=True)
    only_one = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class TagWord(models.Model):
    """What the chain decided about a tag of this name. A tag may be used without: then it is nobody's answer and does
    not age."""

    name = models.CharField(max_length=60, unique=True)
    group = models.ForeignKey(TagGroup, null=True, blank=True, on_delete=models.SET_NULL, related_name="words")
    stale_after_days = models.PositiveIntegerField(null=True)
    """Days after which a tag nobody confirmed comes off by itself."""

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Evidence(models.Model):
    """Why somebody believes a tag: who put it on or which rule, from which fact."""

    source = models.CharField(max_length=60, blank=True)
    """`staff`, `api`, `rule`, or the load that brought it (`import:7`)."""
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    rule = models.CharField(max_length=60, blank=True, db_default="")
    """Name of the rule that put it on."""
    fact = models.CharField(max_length=60, blank=True, db_default="")
    """The fact it was read from, as `receipt:12`."""
    recorded_at = models.DateTimeField()

    class Meta:
        abstract = True


class Tag(Evidence):
    """A tag she wears now. What she wore before stands in `FormerTag`."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="tags")
    name = models.CharField(max_length=60)
    stale_on = models.DateField(null=True)
    """The day from which nobody should believe it any more."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "name"], name="tag_once")]
        indexes = [
            models.Index(fields=["name", "customer"], name="tag_name"),
            models.Index(fields=["source"], name="tag_of_batch", condition=models.Q(source__startswith="import:")),
            models.Index(fields=["stale_on"], name="tag_stale", condition=models.Q(stale_on__isnull=False)),
        ]


class TagEnd(models.TextChoices):
    """Why a tag came off."""

    REMOVED = "removed"
    DISPUTED = "disputed"
    STALE = "stale"
    REPLACED = "replaced"


class FormerTag(Evidence):
    """A tag she wore until `ended_at`: the past of a customer is shown with the tags of that day."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=60)
    ended_at = models.DateTimeField()
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    ended_because = models.CharField(max_length=10, choices=TagEnd.choices)

    class Meta:
        indexes = [models.Index(fields=["customer", "name"], name="former_tag_customer")]


class TagSpell(models.Model):
    """From which day to which a record wore a tag, as definitions read it: triggers on `Tag` and `FormerTag` write it
    down (`spells.py`, docs/decisions/0128). Derived; what is taken back leaves a row without a tag, so that whoever
    copied it sees it go."""

    id = models.BigIntegerField(primary_key=True)
    """Twice the id of the tag, and one more of a former one."""
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    tag_key = models.BigIntegerField(null=True)
    """`rules.tag_key` of its name."""
    first_on = models.DateField()
    """The day on which it was put on, where her home store is."""
    ended_on = models.DateField(null=True)
    """The day on whose end she no longer wore it; None while she does."""
    txid = Xid8Field(db_default=current_xid(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer"], name="tag_spell_customer"),
            models.Index(fields=["txid"], name="tag_spell_txid"),
        ]


class AdvisingReason(models.TextChoices):
    """How an adviser came to a customer."""

    HANDED_OVER = "handed_over"
    SEEN = "seen"
    """Found changed by a page, a load or a machine: who did it stands in the audit trail."""


class Advising(models.Model):
    """Who looked after her from when to when. `Customer.adviser` says who does now; this says who did."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=12, choices=AdvisingReason.choices, default=AdvisingReason.SEEN)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    batch = models.ForeignKey("foundation.Batch", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    """The hand-over that brought her."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=models.Q(until__isnull=True), name="advising_one_at_a_time"
            )
        ]
        indexes = [
            models.Index(fields=["customer", "since"], name="advising_customer"),
            models.Index(fields=["batch"], name="advising_batch", condition=models.Q(batch__isnull=False)),
        ]


class Replaced(models.Model):
    """What a batch wrote over in the profile of a customer known before it: `before` and `after`, field to value, only
    fields that changed. Kept for the undo and used up by it; no fact, so that it can be erased with the person."""

    batch = models.ForeignKey("foundation.Batch", on_delete=models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "customer"], name="replaced_once")]


class Note(models.Model):
    """What a person of the shop wrote down. Free text is mutable so that it can be erased; the event says it exists."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="notes")
    text = models.TextField(blank=True)
    photo = models.ImageField(upload_to="notes/%Y/%m/", blank=True)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    written_at = models.DateTimeField()
    source_key = models.CharField(max_length=200, blank=True, db_default="")
    """Of a note that a file brought: the same row again is the same note."""
    batch = models.ForeignKey("foundation.Batch", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source_key"], condition=~models.Q(source_key=""), name="note_source_key")
        ]
        indexes = [models.Index(fields=["batch"], name="note_batch", condition=models.Q(batch__isnull=False))]


class Kept(models.Model):
    """A row of a load that waits for a room of ours (a card with sessions left waits for the balances). `data` holds
    figures and codes, no personal text. No fact: undoing its batch lets it go."""

    batch = models.ForeignKey("foundation.Batch", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    source_key = models.CharField(max_length=200)
    data = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "source_key"], name="kept_once")]


class Chosen(models.Model):
    """A customer whom a bulk change means, and what became of her. `removed` are the tags that went, for the undo."""

    class Outcome(models.TextChoices):
        WAITING = ""
        CHANGED = "changed"
        SAME = "same"
        GONE = "gone"

    batch = models.ForeignKey("foundation.Batch", on_delete=models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.WAITING, blank=True)
    removed = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "customer"], name="chosen_once")]
        indexes = [
            models.Index(fields=["batch", "customer"], name="chosen_waiting", condition=models.Q(outcome="")),
        ]
