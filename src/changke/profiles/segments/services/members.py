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
from changke.profiles.segments.models import Segment, Why

log = logging.getLogger(__name__)

CURSOR = "profiles.segments"
MANY = 5_000
"""Customers with new facts beyond which everybody is asked: statements over sets are quicker then."""
NOBODY: columns.Ids = np.zeros(0, np.int64)

WHY = "CASE WHEN {who} = ANY(%(loaded)s::bigint[]) THEN 'import' ELSE %(why)s END"
"""Of a few all of whose news came with a file, that; of the others what made us ask."""

MOMENT = """GREATEST(%(now)s, (SELECT MAX(earlier.left_at) FROM profiles_segmentmember AS earlier
  WHERE earlier.customer_id = {who} AND earlier.segment_id = %(segment)s))"""
"""Nobody enters before she left: a save and the worker may each have looked at the clock before the other wrote."""

# Who no longer fits leaves; who fits and is not in enters. `mine` narrows both sides to those that were asked about.
LEFT = f"""
UPDATE profiles_segmentmember AS member SET left_at = GREATEST(%(now)s, member.entered_at),
  left_version = %(version)s, left_why = {WHY.format(who="member.customer_id")}
WHERE member.segment_id = %(segment)s AND member.left_at IS NULL {{mine}}
  AND NOT EXISTS (SELECT FROM asked WHERE asked.customer_id = member.customer_id)
"""
ENTERED = f"""
INSERT INTO profiles_segmentmember (segment_id, customer_id, entered_at, entered_version, entered_why)
SELECT %(segment)s, asked.customer_id, {MOMENT.format(who="asked.customer_id")}, %(version)s,
  {WHY.format(who="asked.customer_id")} FROM asked
WHERE NOT EXISTS (
  SELECT FROM profiles_segmentmember AS member
  WHERE member.segment_id = %(segment)s AND member.customer_id = asked.customer_id AND member.left_at IS NULL)
ORDER BY asked.customer_id
"""
NEWS = ("facts_receipt", "facts_visit", "facts_opening", "facts_consent", "facts_scorevalue")
OURS = "'stage.changed', 'warning.raised', 'warning.closed'"
"""Events by which we say what we made of her facts: of these nobody can tell either."""
# Who may fit otherwise since: new or changed facts, cards, own fields, scores; who brought somebody. A tag renews the
# card. Of a record read as another both: the person who may fit now, and the record that does no more. `by_file` of a
# row: a file brought it. Of own fields and of cards nobody can tell, except of a card that a file has just made.
BROUGHT = "SELECT customer_id, batch_id IS NOT NULL AS by_file FROM"
TOUCHED = f"""
WITH facts AS (
  {" UNION ALL ".join(f"{BROUGHT} {name} WHERE {{since}}" for name in NEWS)}
  UNION ALL
  SELECT customer_id, CASE WHEN kind NOT IN ({OURS}) THEN batch_id IS NOT NULL END FROM facts_event WHERE {{since}}
  UNION ALL
  SELECT customer_id, NULL FROM facts_fieldvalue WHERE {{since}}
  UNION ALL
  SELECT unnest(ARRAY[customer_id, referrer_id]), batch_id IS NOT NULL FROM facts_referral WHERE {{since}}
  UNION ALL
  SELECT id, NULLIF(batch_id IS NOT NULL AND recorded_at > %(now)s - INTERVAL '1 day', FALSE) FROM facts_customer
  WHERE {{since}}
), found AS (
  SELECT customer_id AS person, by_file FROM facts WHERE customer_id IS NOT NULL
  UNION ALL
  SELECT record.merged_into_id, facts.by_file FROM facts JOIN facts_customer AS record ON record.id = facts.customer_id
  WHERE record.merged_into_id IS NOT NULL
)
SELECT person, COALESCE(BOOL_AND(by_file), FALSE) AS loaded
FROM (SELECT person, by_file FROM found UNION ALL SELECT person, NULL FROM ({BROUGHT_BY}) AS brought) AS touched
GROUP BY person LIMIT %(most)s
""".format(since="txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8")
LOADED = f"SELECT person FROM ({TOUCHED}) AS touched WHERE loaded"


@dataclass(frozen=True)
class Moved:
    entered: int
    left: int


def refresh_everybody(*, now: dt.datetime) -> Moved:
    """Ask every tracked group of everybody. Everything before counts as followed."""
    window, tracked = open_window(CURSOR), _tracked()
    # The first load of a shop brings everybody: that they came with a file is looked for once, not believed.
    loaded = columns.ids_of(LOADED, _bounds(window.since, window.below, now, None)) if tracked else NOBODY
    done = refresh_members(tracked, now=now, loaded=loaded)
    if not window.is_empty:
        close_window(CURSOR, window)
    return done


def refresh_members(
    segments: Iterable[Segment],
    *,
    now: dt.datetime,
    ids: Sequence[int] | None = None,
    words: Words | None = None,
    why: Why = Why.REFRESH,
    loaded: columns.Ids = NOBODY,
) -> Moved:
    """Bring the members of these groups up to date; of some customers only, where `ids` names them.

    A group that can no longer be asked keeps its members.

    Parameters
    ----------
    why
        What made us ask. Kept with each entering and leaving.
    loaded
        Customers all of whose news came with a file: of theirs that is kept instead.
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
            moved = _take_over(one, fitting, now, why, loaded)
            entered, left = entered + moved.entered, left + moved.left
            continue
        asked = question(condition, words, today=today, ids=ids)
        values: dict[str, Any] = {
            **asked.values, **_kept(one, now, why), "ids": list(ids or ()), "loaded": loaded.tolist(),
        }  # fmt: skip
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
GONE = f"""
UPDATE profiles_segmentmember SET left_at = GREATEST(%(now)s, entered_at), left_version = %(version)s,
  left_why = {WHY.format(who="customer_id")}
WHERE segment_id = %(segment)s AND left_at IS NULL AND customer_id = ANY(%(ids)s)
"""
COME = f"""
INSERT INTO profiles_segmentmember (segment_id, customer_id, entered_at, entered_version, entered_why)
SELECT %(segment)s, came.id, {MOMENT.format(who="came.id")}, %(version)s, {WHY.format(who="came.id")}
FROM unnest(%(ids)s::bigint[]) AS came (id)
ON CONFLICT (segment_id, customer_id) WHERE left_at IS NULL DO NOTHING
"""


@transaction.atomic
def _take_over(one: Segment, fitting: columns.Ids, now: dt.datetime, why: Why, loaded: columns.Ids) -> Moved:
    with connection.cursor() as sql:
        inside = columns.ids_of(INSIDE, {"segment": one.pk})
        counts = []
        for statement, ids in (
            (GONE, np.setdiff1d(inside, fitting, assume_unique=True)),
            (COME, np.setdiff1d(fitting, inside, assume_unique=True)),
        ):
            counts.append(0)
            if len(ids):
                theirs = np.intersect1d(ids, loaded, assume_unique=True).tolist()
                sql.execute(statement, {**_kept(one, now, why), "ids": ids.tolist(), "loaded": theirs})
                counts[-1] = sql.rowcount
    Segment.objects.filter(pk=one.pk).update(refreshed_at=now)
    return Moved(entered=counts[1], left=counts[0])


def _kept(one: Segment, now: dt.datetime, why: Why) -> dict[str, Any]:
    return {"segment": one.pk, "now": now, "version": one.version, "why": str(why)}


END = """
UPDATE profiles_segmentmember
SET left_at = GREATEST(%(now)s, entered_at), left_version = %(version)s, left_why = %(why)s
WHERE segment_id = %(segment)s AND left_at IS NULL
"""


def end_stays(one: Segment, *, why: Why, now: dt.datetime) -> None:
    """Everybody leaves: the group is followed no more, or gone."""
    with connection.cursor() as sql:
        sql.execute(END, _kept(one, now, why))


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
    tracked = _tracked()
    touched: dict[int, bool] = {}
    if tracked:
        with connection.cursor() as sql:
            sql.execute(TOUCHED, _bounds(window.since, below, now, MANY + 1))
            touched = dict(sql.fetchall())
    with transaction.atomic():
        if len(touched) > MANY:
            loaded = columns.ids_of(LOADED, _bounds(window.since, below, now, None))
            refresh_members(tracked, now=now, loaded=loaded)
        elif touched:
            by_file = np.array(sorted(pk for pk, loaded in touched.items() if loaded), np.int64)
            refresh_members(tracked, now=now, ids=sorted(touched), why=Why.FACT, loaded=by_file)
        close_window(CURSOR, type(window)(window.since, below))
    return len(touched)


def _bounds(since: int, below: int, now: dt.datetime, most: int | None) -> dict[str, Any]:
    return {"since": str(since), "below": str(below), "now": now, "most": most}


def _tracked() -> list[Segment]:
    return list(Segment.objects.filter(is_tracked=True, is_static=False).order_by("pk"))
