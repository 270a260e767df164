"""A segment on one day: who was in it when the day ended, who came and who went, by name and with the reason."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date, start_of_day
from changke.interfaces import words as said_words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer
from changke.interfaces.web.conditions.speech import Speech
from changke.interfaces.web.doors import needs
from changke.interfaces.web.segments.common import Person, people, there, words_for
from changke.profiles.segments import moves, queries
from changke.profiles.segments.models import Segment

SHOWN = 30
"""Members of the page, and of those who came and went each; a file or the API has everybody."""
MOMENT = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Moved:
    person: Person
    moment: dt.datetime
    why: str


@require_GET
@needs(Capability.CUSTOMER_VIEW)
def show(request: HttpRequest, key: str) -> HttpResponse:
    """`?day=`: today unless it says otherwise."""
    one, zone, now = there(key), the_chain().time_zone, timezone.now()
    today = business_date(now, zone)
    day = min(_read(request.GET.get("day", ""), today), today)
    context: dict[str, Any] = {"nav": "segments", "segment": one, "day": day, "today": today}
    try:
        queries.condition_of(one, words_for(request))
        context["since"] = business_date(moves.known_since(one), zone)
        context |= _on(one, day, zone, current.scope(request))
    except moves.SegmentNotFollowed:
        context["unknown"] = True
    except DomainError as refusal:
        context["unreadable"] = said_words.refusal(refusal)
    return answer(request, "segments/day.html", context)


def _read(text: str, otherwise: dt.date) -> dt.date:
    """Addresses may be typed by hand: what is no day of ours is none."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return otherwise
    return day if day.year >= 1970 else otherwise  # nobody wrote anything down before


def _on(one: Segment, day: dt.date, zone: str, scope: Scope) -> dict[str, Any]:
    begins, ends = start_of_day(day, zone), start_of_day(day + dt.timedelta(days=1), zone)
    inside = moves.inside_at(one, ends - MOMENT, scope=scope)
    ids = list(inside.order_by("-entered_at", "pk").values_list("customer_id", flat=True)[:SHOWN])
    entered, left = (
        moves.moves_of(one, scope=scope, since=begins, until=ends, left=left, most=SHOWN + 1) for left in (False, True)
    )
    everybody = list(dict.fromkeys([*ids, *(m.customer_id for m in (*entered, *left))]))
    known = {person.customer.pk: person for person in people(everybody, {}, Speech.of_the_chain())}

    def named(found: list[moves.Move]) -> list[Moved]:
        return [
            Moved(known[m.customer_id], m.moment, str(said_words.SEGMENT_WHYS.get(m.why, "")))
            for m in found[:SHOWN]
            if m.customer_id in known
        ]

    return {
        "customers": inside.count(),
        "people": [known[pk] for pk in ids if pk in known],
        "sides": {"entered": named(entered), "left": named(left)},
        "more": {"entered": len(entered) > SHOWN, "left": len(left) > SHOWN},
        "most": SHOWN,
    }
