"""The segments she came into and left, in her timeline, each with the reason."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext

from changke.foundation.periods import business_date
from changke.interfaces import words
from changke.interfaces.web.customers.happenings import Asked, Happening, behind, sorting
from changke.profiles.segments.asking import words_of_the_chain
from changke.profiles.segments.models import SegmentMember
from changke.profiles.segments.moves import stays_of


def entered(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    for one in behind(_stays(asked), asked, number, "entered_at", size):
        title = gettext("Put on the list %(segment)s") if one.segment.is_static else gettext("Entered %(segment)s")
        why = "" if one.segment.is_static else one.entered_why
        yield _told(one, one.entered_at, title, why, "info", asked, number)


def left(asked: Asked, number: int, size: int) -> Iterator[Happening]:
    for one in behind(_stays(asked).filter(left_at__isnull=False), asked, number, "left_at", size):
        yield _told(one, one.left_at, gettext("Left %(segment)s"), one.left_why, "", asked, number)


def _stays(asked: Asked) -> Any:
    return stays_of(asked.records, words_of_the_chain(role=asked.role or None))


def _told(one: SegmentMember, at: Any, title: str, why: str, tone: str, asked: Asked, number: int) -> Happening:
    return Happening(
        "segment",
        at,
        business_date(at, asked.time_zone),
        title % {"segment": one.segment.name},
        text=str(words.SEGMENT_WHYS.get(why, "")),
        tone=tone,
        icon="filter",
        sorting=sorting(at, number, one.pk),
    )
