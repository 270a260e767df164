"""Four pages of numbers that one night counted; each says the day, and how many receipts it stands on."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.interfaces.groups import TRAITS, GroupWords
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.profiles.affinity.models import Trait
from changke.profiles.affinity.rules import LEAST_DAYS, LEAST_MEMBERS, LEAST_SUPPORT, RECENT_DAYS
from changke.profiles.affinity.together import (
    Among,
    ItemSeason,
    Pair,
    Starter,
    groups_of,
    pairs_of,
    seasons_of,
    stands_on,
    starters_of,
)

STRONG, WEAK = 1_500, 667
"""An index that is said aloud, in thousandths of an even year."""

MOST_SHOWN = 50
"""Rows of a page, the first ones; the export has all."""


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def pairs(request: HttpRequest) -> HttpResponse:
    among: Among = "baskets" if request.GET.get("among") == "baskets" else "customers"
    found = pairs_of(current.scope(request), among=among)
    context = {
        "among": among,
        "found": found,
        "rows": [_pair(one) for one in found.pairs[:MOST_SHOWN]],
        "all": len(found.pairs),
    }
    return _answer(request, "pairs", context)


def _pair(one: Pair) -> dict[str, Any]:
    """Told from the side of which more have the other."""
    first, second = one.item, one.other
    had, other_had = one.had, one.other_had
    if other_had < had:
        first, second, had, other_had = second, first, other_had, had
    return {
        "item": first, "other": second, "together": one.together, "had": had, "other_had": other_had,
        "share": formats.percent(one.together / had, 0),
        "lift": formats.number(one.lift_milli / 1_000, 1), "low": formats.number(one.lift_low_milli / 1_000, 1),
    }  # fmt: skip


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def first_baskets(request: HttpRequest) -> HttpResponse:
    found = starters_of(current.scope(request))
    return _answer(request, "starters", {
        "found": found, "rows": [_starter(one) for one in found.starters[:MOST_SHOWN]], "all": len(found.starters),
    })  # fmt: skip


def _starter(one: Starter) -> dict[str, Any]:
    return {
        "one": one,
        "both": formats.percent(one.returned / one.customers, 0),
        "alone": formats.percent(one.alone_returned / one.alone, 0),
        "low": _signed(one.low_bp),
        "high": _signed(one.high_bp),
        "sure": one.low_bp > 0,
    }


def _signed(points: int) -> str:
    """Of a hundred: +12, −3."""
    value = round(points / 100)
    return f"+{value}" if value > 0 else f"{formats.MINUS}{-value}" if value < 0 else "0"


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def seasons(request: HttpRequest) -> HttpResponse:
    found = seasons_of(current.scope(request))
    language = get_language() or "zh-hans"
    context = {
        "found": found,
        "months": [formats.short_month(month, language) for month in found.months],
        "rows": [_season(one, language, found.months) for one in found.items[:MOST_SHOWN]],
        "all": len(found.items),
    }
    return _answer(request, "seasons", context)


def _season(one: ItemSeason, language: str, months: Any) -> dict[str, Any]:
    cells = [
        {"index": "–" if index is None else formats.number(index / 1_000, 1), "tone": _tone(index)}
        for index in one.index_milli
    ]
    high = [
        formats.short_month(month, language)
        for month, index in zip(months, one.index_milli, strict=True)
        if _tone(index) == "good"
    ]
    return {"item": one.item, "days": one.days, "cells": cells, "high": formats.enumeration(high, language)}


def _tone(index: int | None) -> str:
    if index is None:
        return ""
    return "good" if index >= STRONG else "warn" if index <= WEAK else ""


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def groups(request: HttpRequest) -> HttpResponse:
    trait = request.GET.get("by", "")
    trait = trait if trait in Trait.values else Trait.AGE.value
    said = GroupWords()
    context = {
        "trait": trait,
        "traits": [(one.value, words) for one, words in TRAITS.items()],
        "rows": [
            {"words": said.of(trait, one.value), "group": one} for one in groups_of(current.scope(request), trait=trait)
        ],
    }
    return _answer(request, "groups", context)


def _answer(request: HttpRequest, tab: str, context: dict[str, Any]) -> HttpResponse:
    common = {
        "nav": "together", "tab": tab, "basis": stands_on(current.scope(request)), "least": LEAST_SUPPORT,
        "least_members": LEAST_MEMBERS, "least_days": LEAST_DAYS, "days": RECENT_DAYS,
    }  # fmt: skip
    return answer(request, f"together/{tab}.html", common | context)
