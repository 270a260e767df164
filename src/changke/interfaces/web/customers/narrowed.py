"""Whom the filters of the customer list leave, in no order: what a profile says, and what is looked up elsewhere."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from changke.decisions.next_best_action.queries import CONTACTS, broken_promises
from changke.facts.customers.models import PERSON, Customer, Tag
from changke.facts.customers.queries import matching
from changke.facts.events.models import Event
from changke.facts.fields.queries import holders_of
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.foundation.periods import business_date
from changke.interfaces.web.customers import in_segment
from changke.interfaces.web.customers.filters import Filters
from changke.profiles.attributes.models import Profile

SEARCH_CAP = 1_000
"""What has to be looked up in other tables, a search or a tag, is counted exactly up to here. Nobody reads on that
far."""


@dataclass
class LookedUp:
    """Whom a tag, an own field or a search leaves: looked up once for all the questions of one page.

    Ids only, up to one more than the cap. Those of tags and fields are of the whole chain: each row of theirs would
    have to find out whose it is, and what is asked with them keeps to the scope.
    """

    found: dict[tuple[object, ...], list[int]] = field(default_factory=dict)

    def ids(self, key: tuple[object, ...], rows: Any, *, of_chain: bool) -> list[int]:
        if key not in self.found:
            with seeing(CHAIN_WIDE) if of_chain else nullcontext():
                self.found[key] = list(rows[: SEARCH_CAP + 1])
        return self.found[key]


def nobody_yet(scope: Scope) -> bool:
    return not Profile.objects.for_scope(scope).exists()


def profiles_of(filters: Filters, scope: Scope, looked_up: LookedUp | None = None) -> Any:
    """The profiles that a list with these filters shows, in no order."""
    seen, many, _ = profiles_apart(filters, scope, looked_up)
    return seen.filter(many)


def profiles_apart(filters: Filters, scope: Scope, looked_up: LookedUp | None = None) -> tuple[Any, Q, list[Any]]:
    """The same, apart from it what has to be looked up elsewhere and many fulfil, and the queries that find these."""
    seen, wide = Profile.objects.for_scope(scope.narrowed(filters.store)), Q()
    held: list[Any] = []
    if filters.stages:
        seen = seen.filter(stage__in=filters.stages)
    if filters.group:
        seen = seen.filter(value_group=filters.group)
    if filters.adviser:
        seen = seen.filter(adviser_id=filters.adviser)
    if filters.care:
        seen = _slipping(seen, filters.care)
    for elsewhere in _looked_up(filters, scope.narrowed(filters.store), looked_up or LookedUp()):
        if len(elsewhere.few) <= SEARCH_CAP:
            seen = seen.filter(customer__in=elsewhere.few)
        else:
            wide &= elsewhere.many
            held += [elsewhere.ids] if elsewhere.ids is not None else []
    return seen, wide, held


def _slipping(seen: Any, care: str) -> Any:
    """Of these, who slips through in this way."""
    if care == "no_adviser":
        return seen.filter(adviser_id__isnull=True)
    if care == "never_contacted":
        contacts = Event.objects.filter(CONTACTS, customer=OuterRef("customer"))
        merged = Event.objects.filter(CONTACTS, customer__merged_into__isnull=False)
        return seen.filter(~Exists(contacts)).exclude(customer__in=merged.values("customer__merged_into"))
    today = business_date(timezone.now(), the_chain().time_zone)
    return seen.filter(customer__in=broken_promises(today))


@dataclass(frozen=True)
class Elsewhere:
    """What a condition finds in other tables."""

    few: list[int]
    """The customers, up to one more than the cap."""
    many: Q
    """The condition itself, for when they are more."""
    ids: Any | None
    """The query of all their ids; None where it depends on who asks."""


def _looked_up(filters: Filters, scope: Scope, known: LookedUp) -> Iterator[Elsewhere]:
    """Whom tag and search leave: the customers themselves where they are few, the condition where they are many.

    Few are looked up first and then put in order; of many, enough are met while walking along the order. Left to
    choose, the planner walks along the whole order for somebody who is not there.
    """
    if filters.tag:
        tagged = Tag.objects.filter(name=filters.tag).values_list("customer", flat=True)
        yield Elsewhere(known.ids(("tag", filters.tag), tagged, of_chain=True), Q(customer__in=tagged), tagged)
    if filters.segment:
        inside = in_segment.members(filters.segment, now=timezone.now())
        yield Elsewhere(known.ids(("segment", filters.segment), inside, of_chain=True), Q(customer__in=inside), inside)
    if filters.referral:
        fits = Q(was_brought=True) if filters.referral == "brought" else Q(referred_customers__gt=0)
        those = Profile.objects.filter(fits).values_list("customer", flat=True)
        yield Elsewhere(known.ids(("referral", filters.referral), those, of_chain=True), fits, those)
    if filters.own:
        holding = holders_of(*filters.own.partition("~")[::2])
        yield Elsewhere(known.ids(("own", filters.own), holding, of_chain=True), Q(customer__in=holding), holding)
    if filters.q:
        here = Customer.objects.for_scope(scope).filter(matching(filters.q)).values_list(PERSON, flat=True)
        fits = matching(filters.q, path="customer__")
        yield Elsewhere(known.ids(("q", filters.q, scope), here, of_chain=False), fits, None)


def everybody(filters: Filters, scope: Scope) -> Iterator[int]:
    """The ids of all whom these filters show, in order, however many."""
    rows = _still_there(filters, scope).order_by("customer_id")
    yield from rows.values_list("customer_id", flat=True).iterator(chunk_size=5_000)


def count_everybody(filters: Filters, scope: Scope) -> int:
    """How many these filters show, exactly: who changes them all wants to know."""
    return int(_still_there(filters, scope).order_by().count())


def _still_there(filters: Filters, scope: Scope) -> Any:
    return profiles_of(filters, scope).filter(customer__is_active=True, customer__merged_into__isnull=True)
