"""A segment on one day: who was in it when the day ended, who came and who went, by name and with the reason.

Each of the three lists is turned on its own: its place stands in the address (`inside`, `entered`, `left`) as the
moment and the number behind which it goes on, and how many were before it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.foundation.organisation.queries import the_chain
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
"""Members of a page, and of those who came and went each."""
MOMENT = dt.timedelta(microseconds=1)
LAST_YEAR = 9_998
"""Behind it a zone may lead out of the calendar."""
LARGEST = 2**63 - 1
"""Of what the database counts with."""


@dataclass(frozen=True)
class Place:
    """Behind whom a page of a list begins, and how many came before."""

    moment: dt.datetime
    number: int
    before: int

    def __str__(self) -> str:
        return f"{self.moment.isoformat()}~{self.number}~{self.before}"


@dataclass(frozen=True)
class Page:
    """A page of a list: its rows, which of the whole they are (from 1 on), and where the next one begins."""

    rows: Sequence[Any]
    first: int
    last: int
    onward: str
    """The address of the next page; empty on the last one."""
    first_page: str


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
        context |= _on(one, day, zone, request)
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


def _places(request: HttpRequest) -> dict[str, Place]:
    """Where each list goes on; what is no place of ours is its beginning."""
    found = {}
    for name in ("inside", "entered", "left"):
        try:
            moment, number, before = request.GET.get(name, "").split("~")
            at = dt.datetime.fromisoformat(moment)
            place = Place(at.astimezone(dt.UTC), int(number), int(before))
        except (ValueError, OverflowError):
            continue
        written = at.tzinfo and 1970 <= place.moment.year <= LAST_YEAR
        if written and 0 < place.number <= LARGEST and 0 < place.before <= LARGEST:
            found[name] = place
    return found


def _on(one: Segment, day: dt.date, zone: str, request: HttpRequest) -> dict[str, Any]:
    scope, places = current.scope(request), _places(request)
    begins, ends = start_of_day(day, zone), start_of_day(day + dt.timedelta(days=1), zone)
    inside = moves.inside_at(one, ends - MOMENT, scope=scope)
    rows = inside
    if place := places.get("inside"):
        behind = Q(entered_at__lt=place.moment) | Q(entered_at=place.moment, pk__gt=place.number)
        rows = rows.filter(behind, entered_at__lte=place.moment)
    found = list(rows.order_by("-entered_at", "pk").values_list("entered_at", "pk", "customer_id")[: SHOWN + 1])
    moved: dict[str, list[moves.Move]] = {}
    for name, left in (("entered", False), ("left", True)):
        after = (places[name].moment, places[name].number, left) if name in places else None
        moved[name] = moves.moves_of(one, scope=scope, since=begins, until=ends, left=left, after=after, most=SHOWN + 1)
    everybody = [pk for _, _, pk in found] + [move.customer_id for side in moved.values() for move in side]
    known = {person.customer.pk: person for person in people(list(dict.fromkeys(everybody)), {}, Speech.of_the_chain())}
    lists: dict[str, list[tuple[dt.datetime, int, Any]]] = {
        "inside": [(moment, number, known.get(pk)) for moment, number, pk in found],
        **{name: [(m.moment, m.stay, _moved(m, known)) for m in side] for name, side in moved.items()},
    }
    turned = {name: _page(rows, name, places.get(name), request) for name, rows in lists.items()}
    return {"customers": inside.count(), "lists": turned}


def _moved(move: moves.Move, known: dict[int, Person]) -> Moved | None:
    person = known.get(move.customer_id)
    if person is None:
        return None
    return Moved(person, move.moment, str(said_words.SEGMENT_WHYS.get(move.why, "")))


def _page(found: Sequence[tuple[dt.datetime, int, Any]], name: str, place: Place | None, request: HttpRequest) -> Page:
    """One row more than a page says that there is a next one. Whoever has no profile any more is counted, not named."""
    shown, before = found[:SHOWN], place.before if place else 0
    last = before + len(shown)
    address = request.GET.copy()
    address.pop(name, None)
    first_page = f"?{address.urlencode()}#{name}"
    onward = ""
    if len(found) > SHOWN:
        address[name] = str(Place(*shown[-1][:2], last))
        onward = f"?{address.urlencode()}#{name}"
    return Page([row for _, _, row in shown if row], before + 1, last, onward, first_page)
