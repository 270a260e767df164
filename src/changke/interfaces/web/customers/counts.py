"""How many customers the list shows, stage by stage; and which condition leaves nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count as Number
from django.db.models import F, Subquery

from changke.foundation.organisation.scope import Scope
from changke.interfaces.web.customers import narrowed
from changke.interfaces.web.customers.filters import Filters
from changke.interfaces.web.customers.narrowed import LookedUp, profiles_of
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.models import StageCount

CAP = 10_000
"""Counted exactly up to here; beyond, the page says "10,000+", or takes the roll-up where nothing else is asked."""


@dataclass(frozen=True)
class Count:
    """How many; `more` says that the counting stopped there."""

    number: int
    more: bool = False

    def __add__(self, other: "Count") -> "Count":
        return Count(self.number + other.number, self.more or other.more)


def counts_of(
    filters: Filters, scope: Scope, stages: Sequence[str], *, model: str, looked_up: LookedUp | None = None
) -> dict[str, Count]:
    """Stage -> customers, under every filter but the stage itself."""
    others = filters.without("stages")
    seen = profiles_of(others, scope, looked_up)
    if others.q or others.tag or others.segment or others.referral:
        # What has to be looked up elsewhere is looked up once, not once per stage; a search alone has been already.
        asked = ("q", others.q, scope.narrowed(others.store))
        only_searched = others.q and set(others.conditions) <= {"q", "store"}
        searched = (looked_up or LookedUp()).found.get(asked) if only_searched else None
        few = seen if searched is None else Profile.objects.for_scope(scope).filter(customer__in=searched)
        found = list(few.values_list("stage", flat=True)[: narrowed.SEARCH_CAP + 1])
        more = len(found) > narrowed.SEARCH_CAP
        return {stage: Count(found.count(stage), more) for stage in stages}
    if others.adviser:
        return _of_adviser(seen, stages)
    # Who sees visitors too has no index that counts them by itself.
    cap = narrowed.SEARCH_CAP if scope.visited else CAP
    counted = {stage: _capped(seen.filter(stage=stage), cap) for stage in stages}
    if set(others.conditions) <= {"store"} and not scope.by_person and any(count.more for count in counted.values()):
        whole = _rolled_up(model, scope.narrowed(others.store))
        return {stage: _whole(count, whole.get(stage)) for stage, count in counted.items()}
    return counted


def _of_adviser(seen: Any, stages: Sequence[str]) -> dict[str, Count]:
    """All stages in one walk: an adviser's customers stand together in their index, as many as one looks after."""
    found = dict(seen.order_by().values_list("stage").annotate(number=Number("customer_id")))
    return {stage: Count(min(found.get(stage, 0), CAP), found.get(stage, 0) > CAP) for stage in stages}


def count_of(filters: Filters, scope: Scope) -> Count:
    """How many these filters show, counted up to the cap."""
    return _capped(profiles_of(filters, scope))


def tightest(filters: Filters, scope: Scope) -> tuple[str, Count] | None:
    """Of a list that came out empty: the condition without which most would be found, and how many."""
    fewer = {name: profiles_of(filters.without(name), scope) for name in filters.conditions}
    without = {name: _capped(seen, narrowed.SEARCH_CAP) for name, seen in fewer.items()}
    name = max(without, key=lambda name: without[name].number, default=None)
    return (name, without[name]) if name and without[name].number else None


def _capped(seen: Any, cap: int = 0) -> Count:
    cap = cap or CAP
    number = seen.order_by().values(one=F("customer_id"))[: cap + 1].count()
    return Count(min(number, cap), more=number > cap)


def _whole(counted: Count, rolled_up: int | None) -> Count:
    return Count(rolled_up) if counted.more and rolled_up and rolled_up > counted.number else counted


def _rolled_up(model: str, scope: Scope) -> dict[str, int]:
    """The counts of the latest day of the charts."""
    rows = StageCount.objects.filter(model=model)
    rows = rows.filter(day=Subquery(rows.order_by("-day").values("day")[:1]))
    if scope.store_ids is not None:
        rows = rows.filter(store_id__in=scope.store_ids)
    found: dict[str, int] = {}
    for stage, customers in rows.values_list("stage", "customers"):
        found[stage] = found.get(stage, 0) + customers
    return found
