"""One segment from all sides: what it asks, how many, who and why, who came and went; heavy parts follow later."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, pgettext
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.queries import allows
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.interfaces import words as said_words
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.conditions.speech import Speech
from changke.interfaces.web.doors import needs
from changke.interfaces.web.segments.common import people, there, words_for
from changke.profiles.segments import queries
from changke.profiles.segments.asking import Words
from changke.profiles.segments.models import Segment

SHOWN = 30
"""Members of the page; everybody stands in the customer list."""
DAYS = 60
LATEST = 8


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def show(request: HttpRequest, key: str) -> HttpResponse:
    one, words, speech = there(key), words_for(request), Speech.of_the_chain()
    staff = current.staff(request)
    context: dict[str, Any] = {
        "nav": "segments",
        "segment": one,
        "others": [(other, name) for other, name in speech.segments.items() if other != key],
        "may_see": allows(staff, Capability.CUSTOMER_VIEW),
        "can_bulk": allows(staff, Capability.CUSTOMER_BULK_EDIT),
        "list_url": f"{reverse('customers')}?{urlencode({'segment': key})}",
        "export_url": f"{reverse('exports')}?{urlencode({'filters': urlencode({'segment': key})})}",
        "bulk_url": f"{reverse('bulk-form')}?{urlencode({'segment': key})}",
    }
    try:
        context |= _inside(request, one, words, speech)
    except queries.SegmentUnreadable as refusal:
        context["unreadable"] = said_words.refusal(refusal)
    return answer(request, "segments/one.html", context)


def _inside(request: HttpRequest, one: Segment, words: Words, speech: Speech) -> dict[str, Any]:
    scope, now = current.scope(request), timezone.now()
    condition, asked = queries.condition_of(one, words), queries.asked_of(one, words)
    customers = queries.count(condition, words, now=now, scope=scope)
    spoken = queries.spoken(condition, words, now=now, scope=scope)
    found: dict[str, Any] = {
        "customers": customers,
        "total": queries.count(None, words, now=now, scope=scope),
        "sentence": "" if one.is_static else speech.speaker().say(asked),
        "sql": spoken.sql,
        "bound": sorted((name, str(value)) for name, value in spoken.values.items()),
    }
    if allows(current.staff(request), Capability.CUSTOMER_VIEW):
        ids = queries.sample(condition, words, now=now, scope=scope, most=SHOWN)
        found["people"] = people(ids, {} if one.is_static else queries.reasons(asked, ids, words, now=now), speech)
        if one.is_tracked and not one.is_static:
            found |= _moves(one, scope, now, speech)
    return found


def _moves(one: Segment, scope: Scope, now: dt.datetime, speech: Speech) -> dict[str, Any]:
    """Who came and went: a bar a day, and the latest by name."""
    zone, language = the_chain().time_zone, get_language() or "zh-hans"
    days = queries.moved_by_day(one, since=now - dt.timedelta(days=DAYS), scope=scope, time_zone=zone)
    latest = {
        "entered": queries.latest_moves(one, scope=scope, left=False, most=LATEST),
        "left": queries.latest_moves(one, scope=scope, left=True, most=LATEST),
    }
    names = {person.customer.pk: person for person in people([s.customer_id for rows in latest.values() for s in rows],
                                                             {}, speech)}  # fmt: skip
    today = timezone.localdate()
    return {
        "moves": {
            "labels": [formats.day(day.day, today, language) for day in days],
            "unit": gettext("customers"),
            "series": [
                {"name": gettext("Entered"), "colour": "good", "values": [day.entered for day in days]},
                {"name": pgettext("segment", "Left"), "colour": "bad", "values": [day.left for day in days]},
            ],
        } if days else None,
        "move_columns": ["", gettext("Entered"), pgettext("segment", "Left")],
        "move_rows": [
            [formats.day(day.day, today, language), formats.number(day.entered), formats.number(day.left)]
            for day in days
        ],
        "latest": {
            side: [(names[stay.customer_id], stay) for stay in rows if stay.customer_id in names]
            for side, rows in latest.items()
        },
    }  # fmt: skip
