"""The customer list narrowed to a segment: who is in it, and whether the reader may know what it asks."""

import datetime as dt
from typing import Any

from django.db.models import Q
from django.db.models.expressions import RawSQL

from changke.foundation.errors import NotFound
from changke.profiles.attributes.models import Profile
from changke.profiles.segments.asking import words_of_the_chain
from changke.profiles.segments.models import Segment, SegmentMember
from changke.profiles.segments.queries import condition_of, statement


def members(key: str, *, now: dt.datetime) -> Any:
    """Ids of its customers of the whole chain. Of a followed segment and of a frozen list they are written down; any
    other is asked. A segment that is gone has nobody: a change of many must never mean everybody by mistake."""
    one = Segment.objects.filter(key=key).first()
    if one is None:
        return Profile.objects.none().values_list("customer", flat=True)
    if one.is_static or one.is_tracked:
        inside = SegmentMember.objects.filter(segment=one, left_at__isnull=True)
        return inside.values_list("customer", flat=True)
    words = words_of_the_chain()
    text, values = statement(condition_of(one, words), words, now=now)
    fitting = Profile.objects.filter(Q(customer__in=RawSQL(text, values)))
    return fitting.values_list("customer", flat=True)


def check(key: str, role: str) -> None:
    """Refuse who may not see what the segment asks, such as a field of the chain's own: being in it would tell.

    Raises
    ------
    SegmentUnreadable
    NotFound
    """
    if not key:
        return
    one = Segment.objects.filter(key=key).first()
    if one is None:
        raise NotFound
    condition_of(one, words_of_the_chain(role=role))


def names() -> list[tuple[str, str]]:
    """Key and name of each, to choose from."""
    return list(Segment.objects.values_list("key", "name"))
