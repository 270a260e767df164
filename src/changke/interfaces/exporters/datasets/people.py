"""What is known of the customers of whoever asks: under which names, who looks after them, what was noted, what they
allow, who brought them. What hangs on a record that is read as another is the other's."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import BigIntegerField, Case, F, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from changke.facts.consents import queries as consents_said
from changke.facts.consents.models import Consent
from changke.facts.customers.models import (
    Advising,
    Customer,
    FormerTag,
    Identifier,
    IdentifierKind,
    Kept,
    MergeLink,
    Note,
    Tag,
    whom,
)
from changke.facts.customers.queries import LIVING, families_of, place_of
from changke.facts.customers.rules import local_phone, masked
from changke.facts.referrals.models import Referral
from changke.facts.scores.models import ScoreValue
from changke.facts.scores.queries import scores_for
from changke.foundation.persons.queries import opened_all
from changke.interfaces.exporters.shape import Ask, Column, Row
from changke.interfaces.exporters.streams import register

WHOSE = Column("customer_id", _("Customer number"), "int")
NAMES = (
    WHOSE,
    Column("kind", _("Kind")),
    Column("source", _("Source")),
    Column("value", _("Name or number")),
    Column("shared", _("Another is found by it (1)"), "int"),
    Column("suppressed", _("Used by no channel (1)"), "int"),
)
TAGS = (
    WHOSE,
    Column("tag", _("Tag")),
    Column("source", _("Source")),
    Column("recorded_at", _("Time"), "moment"),
    Column("given_by", _("Put on by")),
    Column("rule", _("Rule")),
    Column("fact", _("Read from")),
)
WORN = (*TAGS, Column("stale_on", _("Comes off on"), "day"))
FORMER = (
    *TAGS,
    Column("ended_at", _("Came off"), "moment"),
    Column("ended_by", _("Taken off by")),
    Column("ended_because", _("Came off because")),
)
NOTES = (
    WHOSE,
    Column("note_id", _("Number here"), "int"),
    Column("written_at", _("Time"), "moment"),
    Column("written_by", _("Written by")),
    Column("text", _("Note")),
    Column("photo", _("Has a photo (1)"), "int"),
)
CONSENTS = (
    WHOSE,
    Column("purpose", _("For what")),
    Column("channel", _("Channel")),
    Column("given", _("Given (1) or withdrawn (0)"), "int"),
    Column("how", _("How")),
    Column("text_version", _("Version of the words")),
    Column("store", _("Store")),
    Column("happened_at", _("Time"), "moment"),
    Column("business_date", _("Day"), "day"),
    Column("staff", _("Staff")),
    Column("guardian", _("By a guardian (1)"), "int"),
    Column("separate", _("Asked on its own (1)"), "int"),
    Column("evidence", _("Proof")),
)
ADVISERS = (
    WHOSE,
    Column("adviser", _("Adviser")),
    Column("since", _("Since"), "moment"),
    Column("until", _("Until"), "moment"),
    Column("reason", _("How she came to her")),
    Column("given_by", _("Given by")),
)
REFERRALS = (
    WHOSE,
    Column("brought", _("Brought by a customer (1) or by nobody we know (0)"), "int"),
    Column("referrer_id", _("Referrer number"), "int"),
    Column("referrer_name", _("Name of the referrer")),
    Column("brought_on", _("Brought on"), "day"),
    Column("how", _("How")),
    Column("staff", _("Staff")),
    Column("recorded_at", _("Time"), "moment"),
)
MERGES = (
    WHOSE,
    Column("merge_id", _("Number here"), "int"),
    Column("merged_id", _("Record that is read as hers"), "int"),
    Column("why", _("Why")),
    Column("staff", _("Staff")),
    Column("happened_at", _("Time"), "moment"),
)
KEPT = (
    WHOSE,
    Column("kind", _("Kind")),
    Column("load", _("Load"), "int"),
    Column("data", _("Data")),
)
SCORES = (
    WHOSE,
    Column("score", _("Score")),
    Column("number", _("Number"), "int"),
    Column("text", _("Text")),
    Column("scored_on", _("As of"), "day"),
)


def names(ask: Ask) -> Any:
    return _about(Identifier, ask).values_list(
        "pk", "customer_id", "person", "kind", "source", "value", "sealed", "shared", "suppressed"
    )


def _opened(rows: Iterable[Row], ask: Ask) -> Iterator[Row]:
    """As the customer's page shows them; whole for whoever sees whole phones."""
    some = list(rows)
    texts = opened_all((row[1], row[6], place_of(row[0])) for row in some)  # type: ignore[arg-type,misc]
    for (_pk, _record, person, kind, source, clear, _sealed, shared, suppressed), text in zip(some, texts, strict=True):
        value = str(clear) if clear is not None else text
        whole = local_phone(value) if kind == IdentifierKind.PHONE else value
        shown = whole if ask.shows_phones else masked(str(kind), value)
        yield person, kind, source, shown, shared, suppressed


EVIDENCE = ("customer_id", "name", "source", "recorded_at", "given_by__name", "rule", "fact")


def tags(ask: Ask) -> Any:
    return _about(Tag, ask).filter(customer__merged_into__isnull=True).values_list(*EVIDENCE, "stale_on")


def former_tags(ask: Ask) -> Any:
    return _about(FormerTag, ask).values_list("person", *EVIDENCE[1:], "ended_at", "ended_by__name", "ended_because")


def notes(ask: Ask) -> Any:
    return _about(Note, ask).values_list("person", "pk", "written_at", "written_by__name", "text", "photo")


def _with_photo(rows: Iterable[Row], _ask: Ask) -> Iterator[Row]:
    for *note, photo in rows:
        yield *note, bool(photo)


def consents(ask: Ask) -> Any:
    return (
        _about(Consent, ask)
        .filter(withdrawn_by__isnull=True)
        .values_list(
            "pk", "customer_id", "person", "purpose", "channel", "given", "how", "text_version", "store__name",
            "happened_at", "business_date", "staff__name", "guardian", "separate", "evidence",
        )
    )  # fmt: skip


def _with_proof(rows: Iterable[Row], _ask: Ask) -> Iterator[Row]:
    some = list(rows)
    proofs = opened_all((row[1], row[-1], consents_said.place_of(row[0])) for row in some)  # type: ignore[arg-type,misc]
    for (_pk, _record, *said, _sealed), proof in zip(some, proofs, strict=True):
        yield *said, proof


def advisers(ask: Ask) -> Any:
    return _about(Advising, ask).values_list("person", "staff__name", "since", "until", "reason", "given_by__name")


def referrals(ask: Ask) -> Any:
    return (
        _about(Referral, ask)
        .filter(withdrawn_by__isnull=True)
        .values_list("person", "referrer_id", "business_date", "how", "staff__name", "recorded_at")
    )


def _as_seen(rows: Iterable[Row], ask: Ask) -> Iterator[Row]:
    """Who brought her is named where she is the asker's to see, too."""
    some = list(rows)
    families = families_of({int(str(row[1])) for row in some if row[1] is not None})
    people = {family[0] for family in families.values()}
    seen = Customer.objects.for_scope(ask.scope).filter(**LIVING).in_bulk(people)
    for person, record, *said in some:
        referrer = seen.get(families.get(int(str(record)), (0,))[0]) if record is not None else None
        named = (referrer.pk, referrer.name) if referrer else (None, "")
        yield person, record is not None, *named, *said


def merges(ask: Ask) -> Any:
    return (
        _whose(MergeLink, ask, record="into")
        .filter(withdrawn_by__isnull=True)
        .values_list("person", "pk", "merged_id", "why", "staff__name", "happened_at")
    )


def scores(ask: Ask) -> Any:
    """Those that the asker's role may see; undoing a load takes back what it said."""
    return (
        _about(ScoreValue, ask)
        .filter(withdrawn_by__isnull=True, score__in=[one.pk for one in scores_for(ask.role or None)])
        .values_list("person", "score__key", "number", "text", "scored_on")
    )


def kept(ask: Ask) -> Any:
    """Rows of loads that wait for a room of ours, such as cards with sessions left."""
    return _about(Kept, ask).values_list("person", "kind", "batch_id", "data")


def _about(model: Any, ask: Ask) -> Any:
    return _whose(model, ask, record="customer")


def _whose(model: Any, ask: Ask, *, record: str) -> Any:
    """Rows about customers whom the asker sees, through the field that names a record."""
    rows = model.objects.filter(**{f"{record}__is_active": True}).annotate(
        person=Coalesce(f"{record}__merged_into_id", f"{record}_id", output_field=BigIntegerField())
    )
    if ask.scope.store_ids is not None:
        own, others = F(f"{record}__home_store_id"), F(f"{record}__merged_into__home_store_id")
        alone = When(**{f"{record}__merged_into__isnull": True}, then=own)
        home = Case(alone, default=others, output_field=BigIntegerField())
        rows = rows.alias(home=home).filter(whom(ask.scope, person="person", home="home"))
    return rows.order_by("pk")


register("names", _("Phones, addresses, cards and numbers"), NAMES, names, told=_opened)
register("notes", _("Notes"), NOTES, notes, told=_with_photo)
register("tags", _("Tags"), WORN, tags)
register("former_tags", _("Tags that came off"), FORMER, former_tags)
register("consents", _("Consents"), CONSENTS, consents, told=_with_proof)
register("advisers", _("Advisers over time"), ADVISERS, advisers)
register("referrals", _("Who brought whom"), REFERRALS, referrals, told=_as_seen)
register("merges", _("Merged records"), MERGES, merges)
register("scores", _("Scores of one's own models"), SCORES, scores)
register("kept", _("Rows of loads that wait"), KEPT, kept)
