"""Every segment of the chain: what it asks, how many are in it, where it goes, who made it."""

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.foundation.audit.queries import made_by
from changke.foundation.organisation.scope import Scope
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.conditions.speech import Speech
from changke.interfaces.web.doors import needs
from changke.interfaces.web.segments.common import words_for
from changke.profiles.segments import queries
from changke.profiles.segments.asking import Words
from changke.profiles.segments.models import Segment

TREND = dt.timedelta(days=30)
MOST_ASKED = 20
"""Untracked segments that the page counts by asking; of more it shows no number, their own page does."""


UNKNOWN: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True)
class Line:
    segment: Segment
    sentence: str
    customers: int | None
    """None: cannot be asked, or too many would have to be."""
    entered: int | None
    left: int | None
    made_by: str


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    segments, scope, now = list(Segment.objects.all()), current.scope(request), timezone.now()
    words, speech = words_for(request), Speech.of_the_chain()
    customers: dict[int, int | None] = {**queries.members_now(segments, scope=scope)}
    for one in [one for one in segments if one.pk not in customers][:MOST_ASKED]:
        customers[one.pk] = _count(one, words, now, scope)
    moved = queries.moved(segments, since=now - TREND, scope=scope)
    makers = made_by([f"segment:{one.pk}" for one in segments])
    lines = [
        Line(one, _sentence(one, words, speech), customers.get(one.pk), *moved.get(one.pk, UNKNOWN),
             makers.get(f"segment:{one.pk}", ""))
        for one in segments
    ]  # fmt: skip
    return answer(request, "segments/list.html", {"nav": "segments", "lines": lines, "days": TREND.days})


def _count(one: Segment, words: Words, now: dt.datetime, scope: Scope) -> int | None:
    try:
        return queries.count(queries.condition_of(one, words), words, now=now, scope=scope)
    except queries.SegmentUnreadable:
        return None


def _sentence(one: Segment, words: Words, speech: Speech) -> str:
    if one.is_static:
        return gettext("A frozen list")
    try:
        return speech.speaker().say(queries.asked_of(one, words))
    except queries.SegmentUnreadable:
        return gettext("asks for something that is gone, or that you may not see")
