"""Records that may be of one person, two by two: those that wait for somebody, and what was decided."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from changke.facts.duplicates import rules
from changke.facts.duplicates.models import Duplicate
from changke.facts.duplicates.queries import decided_pairs, open_pairs
from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.scope import Scope
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.duplicates.sides import Compared, compare

PAGE = 10
"""Pairs at once: each is a screen of a phone."""
DECIDED = 50
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Shown:
    """A pair that waits."""

    pair: Duplicate
    said: str
    signals: list[str]
    tone: str
    compared: Compared


@never_cache
@require_GET
@needs(Capability.DUPLICATES_REVIEW)
def show(request: HttpRequest) -> HttpResponse:
    scope = current.scope_for(request, Capability.DUPLICATES_REVIEW)
    if (store := current.chosen_store(request)) is not None:
        scope = scope.narrowed(store.pk)
    rule = request.GET.get("rule", "")
    decided = request.GET.get("state") == "decided"
    counts = {one["rule"]: one["n"] for one in open_pairs(scope).order_by().values("rule").annotate(n=Count("pk"))}
    context = {
        "nav": "duplicates",
        "decided": decided,
        "rule": rule if rule in counts else "",
        "rules": [(key, str(words.DUPLICATES[key]), counts[key]) for key in _in_order(counts)],
        "waiting": sum(counts.values()),
        "one_store": scope.store_ids is not None and len(scope.store_ids) == 1,
    }
    if decided:
        rows = list(decided_pairs(scope)[: DECIDED + 1])
        context |= {"done": [(one, str(words.DUPLICATES[one.rule])) for one in rows[:DECIDED]]}
        return answer(request, "duplicates/list.html", context)
    skipped = _number(request.GET.get("from", ""))
    context |= _page(scope, str(context["rule"]), skipped)
    return answer(request, "duplicates/list.html", context)


def _page(scope: Scope, rule: str, skipped: int) -> dict[str, object]:
    rows = open_pairs(scope).filter(rule=rule) if rule else open_pairs(scope)
    found = list(rows[skipped : skipped + PAGE + 1])
    kept = {"rule": rule} if rule else {}

    def address(place: int) -> str:
        return "?" + urlencode({**kept, "from": place} if place else kept)

    return {
        "pairs": shown(found[:PAGE]),
        "first": skipped + 1,
        "last": skipped + len(found[:PAGE]),
        "next": address(skipped + PAGE) if len(found) > PAGE else "",
        "previous": address(max(skipped - PAGE, 0)) if skipped else "",
    }


def shown(pairs: list[Duplicate]) -> list[Shown]:
    compared = compare((one.one_id, one.other_id) for one in pairs)
    return [
        Shown(
            one,
            str(words.DUPLICATES[one.rule]),
            [str(words.SIGNALS[signal]) for signal in one.why],
            "good" if one.score >= rules.SURE else "info" if one.score >= rules.LIKELY else "warn",
            compared[one.one_id, one.other_id],
        )
        for one in pairs
        if (one.one_id, one.other_id) in compared
    ]


def _in_order(counts: dict[str, int]) -> list[str]:
    return [one.key for one in rules.RULES if one.key in counts]


def _number(text: str) -> int:
    return min(int(text), MOST_COUNTED) if text.isascii() and text.isdigit() else 0
