"""Who came into a segment and who left it, as facts are read: of one customer, of a segment in the order of time, of a
past moment, all.

A stay is one row: entering writes it, leaving ends it, once (docs/decisions/0123-a-stay-in-a-segment-is-the-fact.md).
"""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from changke.facts.customers.models import whom
from changke.facts.customers.queries import whom_sql
from changke.foundation.errors import DomainError
from changke.foundation.organisation.scope import Scope
from changke.profiles.segments.asking import FROM, Words
from changke.profiles.segments.models import Segment, SegmentMember
from changke.profiles.segments.queries import SegmentUnreadable, condition_of


class SegmentNotFollowed(DomainError):
    code, status = "segment_not_followed", 409
    message = "Nobody wrote down who was in this segment then. It is known from %(since)s on."


class SegmentNeverFollowed(DomainError):
    code, status = "segment_never_followed", 409
    message = "Nobody writes down who is in this segment: it is not followed."


def stays_of(customer_ids: Sequence[int], words: Words) -> "QuerySet[SegmentMember]":
    """The stays of one person, of the segments that the reader may know of, unordered; of dropped ones too."""
    rows = SegmentMember.objects.filter(customer_id__in=customer_ids).select_related("segment")
    there = set(rows.values_list("segment_id", flat=True))
    return rows.filter(segment__in=readable(words, Segment.all_ever.filter(pk__in=there))) if there else rows.none()


def all_stays(scope: Scope, words: Words) -> "QuerySet[SegmentMember]":
    """Every stay of whom the scope sees, of the segments that the reader may know of, the oldest row first."""
    rows = SegmentMember.objects.filter(segment__in=readable(words, Segment.all_ever.all()))
    rows = rows if scope.store_ids is None else rows.filter(whom(scope))
    return rows.order_by("pk")


def readable(words: Words, segments: "QuerySet[Segment]") -> list[int]:
    """Those of which being in it tells nothing that the reader may not see."""
    return [one.pk for one in segments if _may_know(one, words)]


def _may_know(one: Segment, words: Words) -> bool:
    if one.is_static:  # it asks nothing
        return True
    try:
        condition_of(one, words)
    except SegmentUnreadable:
        return False
    return True


def known_since(segment: Segment) -> dt.datetime:
    """From which moment on it is known who was in it, without a gap. Raises SegmentNeverFollowed."""
    since = segment.changed_at if segment.is_static else segment.tracked_since
    if since is None:
        raise SegmentNeverFollowed
    return since


def inside_at(segment: Segment, at: dt.datetime, *, scope: Scope) -> "QuerySet[SegmentMember]":
    """The stays of whoever was in it at a moment, among those that the scope sees, unordered.

    Raises
    ------
    SegmentNotFollowed
        For a moment before it was written down who is in it.
    SegmentNeverFollowed
    """
    since = known_since(segment)
    if at < since:
        raise SegmentNotFollowed(since=since.isoformat(timespec="minutes"))
    rows = SegmentMember.objects.filter(
        Q(left_at__isnull=True) | Q(left_at__gt=at), segment=segment, entered_at__lte=at
    )
    return rows if scope.store_ids is None else rows.filter(whom(scope))


@dataclass(frozen=True)
class Move:
    """She entered or left, why, and by which version of the segment. In the order of `moment`, `stay`, `left`."""

    moment: dt.datetime
    stay: int
    left: bool
    customer_id: int
    why: str
    """A `Why`; "" is not known."""
    version: int


Position = tuple[dt.datetime, int, bool]


def moves_of(
    segment: Segment,
    *,
    scope: Scope,
    since: dt.datetime,
    until: dt.datetime | None = None,
    left: bool | None = None,
    after: Position | None = None,
    most: int,
) -> list[Move]:
    """Who entered and who left from a moment on and before another, in the order of time, behind a position of this
    order; with `left` one side alone. What a saving brought in or put out is among them: whoever keeps a list by them
    needs it."""
    seen, bound = whom_sql(scope, person="one.customer_id", home="one.home_store_id")
    # Of a record that is read as another no profile is left, but that it left has to be told.
    joined = "" if scope.store_ids is None else f"JOIN {FROM} ON one.customer_id = member.customer_id"
    begin = after[0] if after else since

    def side(kind: str, is_left: str) -> str:
        column = f"member.{kind}_at"
        behind = f" AND ({column}, member.id, {is_left}) > (%(moment)s, %(stay)s::bigint, %(left)s)" if after else ""
        ends = f" AND {column} < %(until)s" if until else ""
        return (
            f"(SELECT {column} AS moment, member.id AS stay, {is_left} AS has_left, member.customer_id,"
            f" member.{kind}_why, COALESCE(member.{kind}_version, 0) FROM profiles_segmentmember AS member {joined}"
            f" WHERE member.segment_id = %(segment)s AND {column} >= %(begin)s{behind}{ends} AND {seen}"
            f" ORDER BY {column}, member.id LIMIT %(most)s)"
        )

    values: dict[str, Any] = {"segment": segment.pk, "begin": begin, "until": until, "most": most, **bound}
    if after:
        values |= {"moment": after[0], "stay": after[1], "left": after[2]}
    kinds = {False: ("entered", "FALSE"), True: ("left", "TRUE")}
    sides = [side(*kinds[which]) for which in ((False, True) if left is None else (left,))]
    with connection.cursor() as sql:
        sql.execute(
            f"SELECT * FROM ({' UNION ALL '.join(sides)}) AS moved ORDER BY moment, stay, has_left LIMIT %(most)s",
            values,
        )
        return [Move(*row) for row in sql.fetchall()]
