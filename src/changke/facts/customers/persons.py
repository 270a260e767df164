"""What this room knows of a person."""

import datetime as dt
from collections.abc import Iterator, Sequence

from django.db.models import Q

from changke.facts.customers.models import (
    Advising,
    Chosen,
    Customer,
    FormerTag,
    Guest,
    Identifier,
    Kept,
    MergeLink,
    Note,
    Replaced,
    Tag,
)
from changke.facts.customers.queries import family_of, values_of
from changke.facts.customers.services import erase
from changke.facts.customers.services.names import index_again
from changke.facts.customers.services.suppress import suppress
from changke.foundation.persons.registry import Human, PersonTable, Row, register, register_human, register_index

PROFILE = (
    "id", "name", "gender", "birth_year", "birth_month", "birth_day", "occupation", "income_band", "city", "interests",
    "living", "allergies", "source", "known_on", "recorded_at",
)  # fmt: skip


def profile(customer_ids: Sequence[int]) -> Iterator[Row]:
    people = Customer.objects.filter(pk__in=customer_ids).select_related("home_store", "adviser").order_by("pk")
    for one in people:
        yield {
            **{field: getattr(one, field) for field in PROFILE},
            "home_store": one.home_store.name if one.home_store else "",
            "adviser": one.adviser.name if one.adviser else "",
        }


def identifiers(customer_ids: Sequence[int]) -> Iterator[Row]:
    known = list(Identifier.objects.filter(customer_id__in=customer_ids).order_by("pk"))
    values = values_of(known)
    for one in known:
        yield {
            "customer_id": one.customer_id,
            "kind": one.kind,
            "source": one.source,
            "value": values[one.pk],
            "shared": one.shared,
        }


def tags(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Tag.objects.filter(customer_id__in=customer_ids).order_by("recorded_at", "pk")
    yield from rows.values("customer_id", "name", "source", "rule", "fact", "recorded_at", "stale_on")


def former_tags(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = FormerTag.objects.filter(customer_id__in=customer_ids).order_by("ended_at", "pk")
    yield from rows.values("customer_id", "name", "source", "rule", "fact", "recorded_at", "ended_at", "ended_because")


def advisers(customer_ids: Sequence[int]) -> Iterator[Row]:
    for one in Advising.objects.filter(customer_id__in=customer_ids).select_related("staff").order_by("since", "pk"):
        yield {
            "customer_id": one.customer_id,
            "adviser": one.staff.name,
            "since": one.since,
            "until": one.until,
            "reason": one.reason,
        }


def guests(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Guest.objects.filter(customer_id__in=customer_ids).order_by("customer_id", "store__code")
    yield from rows.values("customer_id", "store__name")


def notes(customer_ids: Sequence[int]) -> Iterator[Row]:
    for one in Note.objects.filter(customer_id__in=customer_ids).select_related("written_by").order_by("written_at"):
        yield {
            "customer_id": one.customer_id,
            "written_at": one.written_at,
            "written_by": one.written_by.name if one.written_by else "",
            "text": one.text,
            "photo": one.photo.name or "",
        }


def replaced(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Replaced.objects.filter(customer_id__in=customer_ids).order_by("pk")
    yield from rows.values("customer_id", "batch_id", "before", "after")


def kept(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Kept.objects.filter(customer_id__in=customer_ids).order_by("pk")
    yield from rows.values("customer_id", "batch_id", "kind", "data")


def chosen(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = Chosen.objects.filter(customer_id__in=customer_ids).order_by("pk")
    yield from rows.values("customer_id", "batch_id", "outcome", "removed")


def merges(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = MergeLink.objects.filter(Q(merged__in=customer_ids) | Q(into__in=customer_ids)).order_by("pk")
    yield from rows.values("merged_id", "into_id", "why", "happened_at", "withdrawn_by_id")


register(PersonTable("profile", ("facts_customer",), profile, erase.erase_profile))
register(PersonTable("identifiers", ("facts_identifier",), identifiers, erase.erase_identifiers))
register(PersonTable("tags", ("facts_tag", "facts_tagspell"), tags, erase.erase_tags))
register(PersonTable("former_tags", ("facts_formertag",), former_tags, erase.erase_former_tags))
register(PersonTable("advisers", ("facts_advising",), advisers, erase.erase_advisers))
register(PersonTable("guests", ("facts_guest",), guests, erase.erase_guests))
register(PersonTable("notes", ("facts_note",), notes, erase.erase_notes))
register(PersonTable("replaced", ("facts_replaced",), replaced, erase.erase_replaced))
register(PersonTable("kept", ("facts_kept",), kept, stays="codes"))
register(PersonTable("merges", ("facts_mergelink",), merges, stays="codes"))
register(PersonTable("chosen", ("facts_chosen",), chosen, erase.erase_chosen))


def recorded(customer_id: int) -> str | None:
    one = Customer.objects.filter(pk=customer_id, is_erased=False).first()
    return one.recorded_at.astimezone(dt.UTC).isoformat() if one else None


register_index("facts_identifier", index_again)
register_human(Human(family_of, recorded, lambda ids, why, now: suppress(ids, why=why, now=now)))
