"""Who entered and who left: of everybody, or of some after a fact. Both write the same rows."""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection, transaction

from changke.foundation.cursors import close_window, open_window
from changke.foundation.organisation.queries import the_chain
from changke.profiles.conditions import ConditionError
from changke.profiles.lifecycle.services.changes import BROUGHT_BY, read_from
from changke.profiles.segments import columns
from changke.profiles.segments.asking import FROM, SegmentCircle, Words, question, today_of, words_of_the_chain
from changke.profiles.segments.models import Segment

log = logging.getLogger(__name__)

CURSOR = "profiles.segments"
MANY = 5_000
"""Customers with new facts beyond which everybody is asked: statements over sets are quicker then."""

# Who no longer fits leaves; who fits and is not in enters. `mine` narrows both sides to those that were asked about.
LEFT = """
UPDATE profiles_segmentmember AS member SET left_at = GREATEST(%(now)s, member.entered_at)
WHERE member.segment_id = %(segment)s AND member.left_at IS NULL {mine}
  AND NOT EXISTS (SELECT FROM asked WHERE asked.customer_id = member.customer_id)
"""
ENTERED = """
INSERT INTO profiles_segmentmember (segment_id, customer_id, entered_at)
SELECT %(segment)s, asked.customer_id, %(now)s FROM asked
WHERE NOT EXISTS (
  SELECT FROM profiles_segmentmember AS member
  WHERE member.segment_id = %(segment)s AND member.customer_id = asked.customer_id AND member.left_at IS NULL)
ORDER BY asked.customer_id
"""
NEWS = ("facts_receipt", "facts_visit", "facts_opening", "facts_event", "facts_consent", "facts_fieldvalue",
        "facts_scorevalue")  # fmt: skip
# Who may fit otherwise since: new or changed facts, cards, own fields, scores; who brought somebody. A tag renews the
# card. Of a record read as another both: the person who may fit now, and the record that does no more.
TOUCHED = f"""
WITH facts AS (
  {" UNION ALL ".join(f"SELECT customer_id FROM {table} WHERE {{since}}" for table in NEWS)}
  UNION ALL
  SELECT unnest(ARRAY[customer_id, referrer_id]) FROM facts_referral WHERE {{since}}
  UNION ALL
  SELECT id FROM facts_customer WHERE {{since}}
), found AS (
  SELECT customer_id AS person FROM facts WHERE customer_id IS NOT NULL
  UNION
  SELECT record.merged_into_id FROM facts JOIN facts_customer AS record ON record.id = facts.customer_id
  WHERE record.merged_into_id IS NOT NULL
)
SELECT person FROM found UNION ({BROUGHT_BY}) LIMIT %(most)s
""".format(since="txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8")


@dataclass(frozen=True)
class Moved:
    entered: int
    left: int


def refresh_everybody(*, now: dt.datetime) -> Moved:
    """Ask every tracked group of everybody. Everything before counts as followed."""
    window = open_window(CURSOR)
    done = refresh_members(_tracked(), now=now)
    if not window.is_empty:
        close_window(CURSOR, window)
    return done


def refresh_members(
    segments: Iterable[Segment], *, now: dt.datetime, ids: Sequence[int] | None = None, words: Words | None = None
) -> Moved:
    """Bring the members of these groups up to date; of some customers only, where `ids` names them.

    A group that can no longer be asked keeps its members.
    """
    words = words or words_of_the_chain()
    today, entered, left = today_of(the_chain(), now), 0, 0
    for one in segments:
        try:
            condition = words.condition(one.tree or {})
        except (ConditionError, SegmentCircle) as error:
            # A field was retired, a category renamed. The other segments must not wait for whoever mends this one.
            log.warning("segment %s can no longer be asked, its members stay: %s", one.key, error)
            continue
        fitting = columns.everybody(condition, words, now=now) if ids is None else None
        if fitting is not None:
            moved = _take_over(one, fitting, now)
            entered, left = entered + moved.entered, left + moved.left
            continue
        asked = question(condition, words, today=today, ids=ids)
        values: dict[str, Any] = {**asked.values, "segment": one.pk, "now": now, "ids": list(ids or ())}
        with transaction.atomic(), connection.cursor() as sql:
            sql.execute("DROP TABLE IF EXISTS asked")
            sql.execute(
                f"CREATE TEMPORARY TABLE asked ON COMMIT DROP AS SELECT customer_id FROM {FROM} WHERE {asked.where}",
                asked.values,
            )
            if ids is None:
                sql.execute("ANALYZE asked")
            sql.execute(LEFT.format(mine="" if ids is None else "AND member.customer_id = ANY(%(ids)s)"), values)
            left += sql.rowcount
            sql.execute(ENTERED, values)
            entered += sql.rowcount
            if ids is None:
                Segment.objects.filter(pk=one.pk).update(refreshed_at=now)
    return Moved(entered, left)


# The same two, where everybody whom it fits is known already and only the difference has to be written.
INSIDE = "SELECT customer_id FROM profiles_segmentmember WHERE segment_id = %(segment)s AND left_at IS NULL"
GONE = """
UPDATE profiles_segmentmember SET left_at = GREATEST(%(now)s, entered_at)
WHERE segment_id = %(segment)s AND left_at IS NULL AND customer_id = ANY(%(ids)s)
"""
COME = """
INSERT INTO profiles_segmentmember (segment_id, customer_id, entered_at)
SELECT %(segment)s, came.id, %(now)s FROM unnest(%(ids)s::bigint[]) AS came (id)
ON CONFLICT (segment_id, customer_id) WHERE left_at IS NULL DO NOTHING
"""


@transaction.atomic
def _take_over(one: Segment, fitting: columns.Ids, now: dt.datetime) -> Moved:
    with connection.cursor() as sql:
        inside = columns.ids_of(INSIDE, {"segment": one.pk})
        counts = []
        for statement, ids in (
            (GONE, np.setdiff1d(inside, fitting, assume_unique=True)),
            (COME, np.setdiff1d(fitting, inside, assume_unique=True)),
        ):
            counts.append(0)
            if len(ids):
                sql.execute(statement, {"segment": one.pk, "now": now, "ids": ids.tolist()})
                counts[-1] = sql.rowcount
    Segment.objects.filter(pk=one.pk).update(refreshed_at=now)
    return Moved(entered=counts[1], left=counts[0])


def follow(now: dt.datetime) -> int:
    """Ask the tracked groups of everybody with a new fact, once her profile knows it. How many were asked about."""
    window = open_window(CURSOR)
    below = min(window.below, read_from())
    if window.since > window.below:  # a restored database counts its transactions anew
        refresh_everybody(now=now)
        close_window(CURSOR, type(window)(0, window.below))
        return 0
    if below <= window.since:
        return 0
    tracked, ids = _tracked(), []
    if tracked:
        bounds: dict[str, str | int] = {"since": str(window.since), "below": str(below), "most": MANY + 1}
        with connection.cursor() as sql:
            sql.execute(TOUCHED, bounds)
            ids = sorted(pk for (pk,) in sql.fetchall())
    with transaction.atomic():
        if ids:
            refresh_members(tracked, now=now, ids=None if len(ids) > MANY else ids)
        close_window(CURSOR, type(window)(window.since, below))
    return len(ids)


def _tracked() -> list[Segment]:
    return list(Segment.objects.filter(is_tracked=True, is_static=False).order_by("pk"))
