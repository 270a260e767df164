"""The people behind a number of the lifecycle page: who stands in a stage, or came to it from another one.

Whom a flow is made of is not stored. Those who stand in the stage today are read in order of value and asked where they
stood on the earlier day, which the same statement answers for any day.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.views.decorators.http import require_GET

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import phones_of
from changke.foundation.access.capabilities import Capability
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.customers.measures import inside
from changke.interfaces.web.doors import needs
from changke.interfaces.web.lifecycle.colours import colours_of
from changke.interfaces.web.lifecycle.series import NEWCOMERS
from changke.profiles.attributes.models import Profile
from changke.profiles.attributes.queries import days_at, settings_of, values_for, versions
from changke.profiles.attributes.services.populations import first_version
from changke.profiles.lifecycle import queries
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.lifecycle.services.some import compute_some

PAGE = 50
CHUNK = 200
MOST_ASKED = 4_000
"""Customers asked where they stood before one page is full; the page then says where to go on."""


@dataclass(frozen=True)
class Position:
    """Behind which customer the page begins, in the order of value at risk."""

    value: int
    customer_id: int

    def __str__(self) -> str:
        return f"{self.value}~{self.customer_id}"


@dataclass(frozen=True)
class Asked:
    """What the address says."""

    model: LifecycleModel
    stage: str
    from_stage: str
    after: Position | None


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    asked = _asked(request)
    language = get_language() or "zh-hans"
    chain, now = the_chain(), timezone.now()
    today = days_at(now, chain).chain
    earlier = _day_before_last()
    ids, after = _found(asked, current.scope(request), chain, earlier)
    words = {stage.key: stage.words[language] for stage in asked.model.stages}
    from_words = words.get(asked.from_stage, pgettext("lifecycle", "Newly known")) if asked.from_stage else ""
    context = {
        "nav": "lifecycle",
        "model": asked.model,
        "stage": asked.stage,
        "stage_words": words[asked.stage],
        "colour": colours_of(asked.model)[asked.stage],
        "from_words": from_words,
        "earlier": earlier,
        "rows": list(_rows(ids, asked.model, chain, today, language)),
        "after": after,
    }
    return answer(request, "lifecycle/people.html", context)


def _asked(request: HttpRequest) -> Asked:
    model = next((one for one in queries.models_in_use() if one.key == request.GET.get("model")), None)
    stages = {stage.key for stage in model.stages} if model else set()
    stage, from_stage = request.GET.get("stage", ""), request.GET.get("from", "")
    if model is None or stage not in stages or (from_stage and from_stage not in stages | {NEWCOMERS}):
        raise Http404
    try:
        value, customer_id = request.GET.get("after", "").split("~")
        after = Position(int(value), int(customer_id))
    except ValueError:
        after = None
    return Asked(model, stage, from_stage, after)


def _day_before_last() -> dt.date | None:
    days = queries.chart_days()
    return days[-2] if len(days) > 1 else None


def _found(asked: Asked, scope: Scope, chain: Chain, earlier: dt.date | None) -> tuple[list[int], Position | None]:
    """Ids of one page, and behind whom the next begins."""
    found: list[int] = []
    position, read = asked.after, 0
    while read < MOST_ASKED:
        chunk = _standing(asked, scope, position, CHUNK if asked.from_stage else PAGE + 1)
        came = _came_from(asked, [pk for pk, _ in chunk], chain, earlier)
        for pk, value in chunk:
            if len(found) == PAGE:
                return found, position
            position = Position(value, pk)
            found += [pk] if pk in came else []
        read += len(chunk)
        if len(chunk) < (CHUNK if asked.from_stage else PAGE + 1):
            return found, None
    return found, position


def _standing(asked: Asked, scope: Scope, after: Position | None, most: int) -> list[tuple[int, int]]:
    here = Standing.objects.filter(customer_id=OuterRef("customer_id"), model=asked.model.key, stage=asked.stage)
    seen = Profile.objects.for_scope(scope)
    # The default model's stage stands in the profile, in an index with the value; others are looked up one by one.
    seen = seen.filter(stage=asked.stage) if asked.model.is_default else seen.filter(Exists(here))
    if after:
        behind = Q(value_at_risk__lt=after.value) | Q(value_at_risk=after.value, customer_id__gt=after.customer_id)
        seen = seen.filter(behind, value_at_risk__lte=after.value)
    rows = seen.order_by("-value_at_risk", "customer_id").values_list("customer_id", "value_at_risk")
    return list(rows[:most])


def _came_from(asked: Asked, ids: list[int], chain: Chain, earlier: dt.date | None) -> set[int]:
    if not asked.from_stage or not ids:
        return set(ids)
    if earlier is None:
        return set()
    stood = {row["customer_id"]: row[asked.model.column] for row in _as_of(ids, asked.model, chain, earlier)}
    if asked.from_stage == NEWCOMERS:
        return {pk for pk in ids if pk not in stood}
    return {pk for pk, stage in stood.items() if stage == asked.from_stage}


def _as_of(ids: Sequence[int], model: LifecycleModel, chain: Chain, day: dt.date) -> list[dict[str, Any]]:
    settings = settings_of(chain)
    # Before the first night there are customers, and nothing yet to place them in.
    version = versions().on(day) or first_version(settings=settings, today=day, now=timezone.now()).pk
    with seeing(CHAIN_WIDE):  # whom one sees was asked; what is told of them is the same whoever looks
        return compute_some(ids, [model], values_for(settings, today=day, version=version))


def _rows(
    ids: list[int], model: LifecycleModel, chain: Chain, today: dt.date, language: str
) -> Iterator[dict[str, object]]:
    """Who they are and why they stand there, in the order of `ids`."""
    if not ids:
        return
    known = {row["customer_id"]: row for row in _as_of(ids, model, chain, today)}
    people = Customer.objects.select_related("home_store", "adviser").in_bulk(ids)
    phones = phones_of(ids)
    for pk in ids:
        if pk in known and pk in people:
            reason = model.rule_for(known[pk]).because(known[pk], language, show=inside)
            yield {
                "customer": people[pk],
                "phone": phones.get(pk, ""),
                "reason": reason,
                "value_at_risk": known[pk]["value_at_risk"],
            }
