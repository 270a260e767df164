"""The customer list."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from changke.facts.customers.queries import tag_names
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.access.queries import allows
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.interfaces import words
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.customers import in_segment, may_ask, narrowed, own_fields, reads
from changke.interfaces.web.customers.counts import Count, counts_of, tightest
from changke.interfaces.web.customers.filters import Filters, read_filters
from changke.interfaces.web.customers.lines import line_of
from changke.interfaces.web.doors import needs
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.value.queries import value_rules

ORDER_WORDS = {
    "risk": _("Value at risk"),
    "last": words.LAST_ACTIVE["visit"],
    "spend": _("Total spend"),
    "name": pgettext_lazy("customer", "Name"),
    "outlook": _("Outlook"),
    "expected": _("Expected purchases"),
    "money": _("Expected spend"),
}
MOST_TAGS = 60
MOST_ADVISERS = 150
"""More names than this are no choice: then the list is narrowed to a store first."""


@dataclass(frozen=True)
class Facet:
    key: str
    words: str
    count: str
    on: bool


@dataclass(frozen=True)
class Condition:
    """A condition in force, in words, and the address of the list without it."""

    name: str
    words: str
    without: str


@require_GET
@needs(Capability.CUSTOMER_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    filters, scope = read_filters(request.GET), current.scope(request)
    if filters.own and not own_fields.may_ask(filters.own, current.staff(request).role):
        filters = filters.without("own")
    may_ask.check(filters, current.staff(request).role)
    stages = _stages()
    looked_up = narrowed.LookedUp()
    page = reads.page_of(filters, scope, looked_up=looked_up)
    counts = counts_of(filters, scope, list(stages.words), model=stages.model, looked_up=looked_up)
    shown = [counts[stage] for stage in filters.stages if stage in counts] if filters.stages else list(counts.values())
    total = reduce(add, shown, Count(0))
    advisers = _advisers(scope.narrowed(filters.store), filters)
    conditions = _conditions(filters, stages, current.stores(request), advisers)
    last = words.LAST_ACTIVE[the_chain().counted]
    groups = {key: str(said_as) for key, said_as in words.VALUE_GROUPS.items()}
    context: dict[str, Any] = {
        "nav": "customers",
        "filters": filters,
        "page": page,
        "lines": [line_of(row, stages=stages.words, groups=groups, order=filters.order) for row in page.rows],
        "total": said(total),
        "facets": [Facet(key, words, said(counts[key]), key in filters.stages) for key, words in stages.words.items()],
        "conditions": conditions,
        "clear_url": reverse("customers"),
        "store_options": [(store.pk, store.name) for store in current.stores(request)],
        "pick_store": current.chosen_store(request) is None,
        "group_options": list(groups.items()),
        "tag_options": _tags(filters),
        "segment_options": in_segment.names() if allows(current.staff(request), Capability.ANALYTICS_VIEW) else [],
        "care_options": [(key, str(said)) for key, said in words.CARE.items()],
        "referral_options": [(key, str(said)) for key, said in words.REFERRALS.items()],
        "adviser_options": _adviser_options(current.staff(request), advisers),
        "export_url": _export_url(filters),
        "can_bulk": allows(current.staff(request), Capability.CUSTOMER_BULK_EDIT),
        "order_options": [(key, str(said_as)) for key, said_as in (ORDER_WORDS | {"last": last}).items()],
        "last_words": last,
        "horizon_days": value_rules().horizon_days,
    }
    if not page.rows:
        context |= _why_empty(filters, scope, conditions)
    response = answer(request, "customers/list.html", context, part="customers/_answer.html")
    if request.headers.get("HX-Request"):
        response["HX-Push-Url"] = reverse("customers") + filters.query  # the form would push its empty fields too
    return response


def _export_url(filters: Filters) -> str:
    """The page of exports, with the conditions of this list."""
    return f"{reverse('exports')}?{urlencode({'filters': filters.at(None).query[1:]})}"


def in_words(filters: Filters, request: HttpRequest) -> list[str]:
    """The conditions in force, in words, for pages that act on the list."""
    advisers = _advisers(current.scope(request).narrowed(filters.store), filters)
    return [one.words for one in _conditions(filters, _stages(), current.stores(request), advisers)]


def said(count: Count) -> str:
    return f"{formats.number(count.number)}+" if count.more else formats.number(count.number)


@dataclass(frozen=True)
class Stages:
    """The stages of the default model in the reader's words."""

    model: str
    words: dict[str, str]

    def said(self, key: str) -> str:
        return self.words.get(key, key)


def _stages() -> Stages:
    models = models_in_use()
    return Stages(models[0].key, words_of(models[0])) if models else Stages("", {})


def words_of(model: LifecycleModel) -> dict[str, str]:
    """Stage -> its word in the reader's language."""
    language = get_language() or "zh-hans"
    return {stage.key: stage.words.get(language, stage.words["en"]) for stage in model.stages}


def _advisers(scope: Scope, filters: Filters) -> dict[int, str]:
    """Staff of the stores in view, by id; nobody where there are too many to choose from, but always the chosen one."""
    staff = Staff.objects.filter(is_active=True)
    if scope.places is not None:
        staff = staff.filter(stores__in=scope.places).distinct()
    found = list(staff.order_by("name").values_list("pk", "name")[: MOST_ADVISERS + 1])
    advisers = dict(found) if len(found) <= MOST_ADVISERS else {}
    if filters.adviser and filters.adviser not in advisers:
        advisers |= dict(Staff.objects.filter(pk=filters.adviser).values_list("pk", "name"))
    return advisers


def _adviser_options(staff: Staff, advisers: dict[int, str]) -> list[tuple[int, str]]:
    others = [(pk, name) for pk, name in advisers.items() if pk != staff.pk]
    return [(staff.pk, gettext("My customers")), *others]


def _tags(filters: Filters) -> list[tuple[str, str]]:
    names = tag_names(MOST_TAGS)
    if filters.tag and filters.tag not in names:
        names.append(filters.tag)
    return [(name, name) for name in names]


def _conditions(filters: Filters, stages: Stages, stores: Sequence[Store], advisers: dict[int, str]) -> list[Condition]:
    language = get_language() or "zh-hans"
    names = {store.pk: store.name for store in stores}
    said_as = {
        "q": lambda: gettext("“%(text)s”") % {"text": filters.q},
        "stages": lambda: formats.enumeration([stages.said(key) for key in filters.stages], language),
        "store": lambda: names.get(filters.store or 0, gettext("another store")),
        "group": lambda: str(words.VALUE_GROUPS[filters.group]),
        "tag": lambda: gettext("Tag: %(tag)s") % {"tag": filters.tag},
        "own": lambda: own_fields.condition(filters.own),
        "care": lambda: str(words.CARE[filters.care]),
        "referral": lambda: str(words.REFERRALS[filters.referral]),
        "segment": lambda: gettext("Segment: %(name)s") % {"name": _segment(filters.segment)},
        "adviser": lambda: gettext("Adviser: %(name)s") % {"name": advisers.get(filters.adviser or 0, "–")},
    }
    return [Condition(name, said_as[name](), _address(filters.without(name))) for name in filters.conditions]


def _segment(key: str) -> str:
    return dict(in_segment.names()).get(key, key)


def _address(filters: Filters) -> str:
    return reverse("customers") + filters.query


def _why_empty(filters: Filters, scope: Scope, conditions: list[Condition]) -> dict[str, Any]:
    """An empty list names the condition that costs most, or says that there is nobody at all yet."""
    if not conditions or narrowed.nobody_yet(scope):
        return {"nobody": not conditions or narrowed.nobody_yet(scope)}
    found = tightest(filters, scope)
    if found is None:
        return {}
    name, count = found
    return {"tightest": next(one for one in conditions if one.name == name), "tightest_count": said(count)}
