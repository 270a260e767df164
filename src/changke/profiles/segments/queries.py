"""Counts, samples with their reasons, members, overlap, portraits: all of whom the reader may see."""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlglot
from django.db import connection

from changke.facts.consents import rules as consents
from changke.facts.customers.queries import whom_sql
from changke.facts.tables import PERSON
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import DomainError
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.profiles.conditions import Both, Condition, ConditionError, Not, read_condition
from changke.profiles.conditions.deeds import TABLES, WITH_LINES, stayed
from changke.profiles.segments import columns
from changke.profiles.segments.asking import FROM, Question, SegmentCircle, Words, persons, question, today_of
from changke.profiles.segments.models import Segment, Why

SAMPLE = 6


class SegmentUnreadable(DomainError):
    code, status = "segment_unreadable", 409
    message = "This segment asks for something that is gone, or that you may not see: %(problem)s"


def condition_of(segment: Segment, words: Words) -> Condition:
    """What the group asks; a frozen one asks who is on its list.

    Raises
    ------
    SegmentUnreadable
        If a field that it asks for was retired since or is hidden from the reader's role.
    """
    return _read(segment.tree or {"segment": segment.key}, words)


def asked_of(segment: Segment, words: Words) -> Condition:
    """What the group asks as it was written: groups within it stand as they are called. Raises SegmentUnreadable."""
    tree = segment.tree or {"segment": segment.key}
    _read(tree, words)
    return read_condition(tree, words.attributes, settings=words.settings, beyond=words.beyond)


def _read(tree: Mapping[str, Any], words: Words) -> Condition:
    try:
        return words.condition(tree)
    except (ConditionError, SegmentCircle) as error:
        raise SegmentUnreadable(problem=str(getattr(error, "problem", error))) from None


COUNTED = "COUNT(*)"


def count(condition: Condition | None, words: Words, *, now: dt.datetime, scope: Scope) -> int:
    """How many it fits now, among those that the scope sees."""
    quick = columns.count(condition, words, now=now, scope=scope)
    if quick is not None:
        return quick
    return int(_one(COUNTED, condition, words, now, scope)[0])


def sample(condition: Condition, words: Words, *, now: dt.datetime, scope: Scope, most: int = SAMPLE) -> list[int]:
    """A few of them, the most valuable first."""
    quick = columns.sample(condition, words, now=now, scope=scope, most=most)
    if quick is not None:
        return quick
    asked = question(condition, words, today=today_of(the_chain(), now), scope=scope)
    with connection.cursor() as sql:
        sql.execute(
            f"SELECT customer_id FROM {FROM} WHERE {asked.where}"
            f" ORDER BY value_at_risk DESC, customer_id LIMIT {int(most)}",
            asked.values,
        )
        return [pk for (pk,) in sql.fetchall()]


def reasons(condition: Condition, ids: Sequence[int], words: Words, *, now: dt.datetime) -> dict[int, list[Condition]]:
    """Customer -> the parts of the condition that are true of her, each a question by itself."""
    people = persons(ids, words, today=today_of(the_chain(), now))
    return {pk: list(_true_parts(condition, row)) for pk, row in people.items() if condition.holds(row)}


def _true_parts(condition: Condition, row: Mapping[str, Any]) -> list[Condition]:
    match condition:
        case Both(parts=parts):
            return [found for part in parts if part.holds(row) for found in _true_parts(part, row)]
        case Not(part=Not(part=part)):
            return _true_parts(part, row)
    return [condition]


@dataclass(frozen=True)
class Overlap:
    """How many are in the one, in the other, in both."""

    one: int
    other: int
    both: int

    @property
    def either(self) -> int:
        return self.one + self.other - self.both


def overlap(one: Segment, other: Segment, words: Words, *, now: dt.datetime, scope: Scope) -> Overlap:
    """Both are asked as one condition: two that were read apart would bind parameters of the same names."""
    trees: list[dict[str, Any]] = [{"segment": one.key}, {"segment": other.key}]
    asked: list[dict[str, Any]] = [*trees, {"and": trees}]
    return Overlap(*(count(_read(tree, words), words, now=now, scope=scope) for tree in asked))


@dataclass(frozen=True)
class Portrait:
    """One group in numbers. Shares are pairs of counts, divided at the roof."""

    customers: int
    spend_minor: int
    """Net spend of 365 days, summed."""
    ticket_minor: int | None
    """Average of the average tickets that are known."""
    gap_days: int | None
    visits: int
    ages: Mapping[int, int]
    sources: Mapping[str, int]
    services: Mapping[str, int]
    """Category -> customers who bought or used something of it in 365 days, the most first."""
    needs: Mapping[str, int]
    """Category that she needs most (`need_group_id`) -> customers, the most first."""
    reachable: int
    """Customers who agreed to marketing on a channel and of whom an address of that channel is known."""
    reachable_by: Mapping[str, int]
    """The same by channel. Whether one may be written to is asked again when sending."""


PORTRAIT = (
    "COUNT(*), COALESCE(SUM(net_spend_365d), 0)::bigint, ROUND(AVG(average_ticket))::bigint,"
    " ROUND(AVG(usual_gap_days))::int, COALESCE(SUM(visits_365d), 0)::bigint"
)
MOST_GROUPS = 8

# Of records that are one person: what she said last under each of them has to be a yes, whichever has the address.
REACHABLE = f"""
WITH asked AS MATERIALIZED (SELECT customer_id FROM {FROM} WHERE {{where}}), said AS (
  SELECT {PERSON} AS person, latest.channel FROM (
    SELECT customer_id, channel, given, ROW_NUMBER() OVER
      (PARTITION BY customer_id, channel ORDER BY happened_at DESC, given, id DESC) AS place
    FROM facts_consent WHERE purpose = %(purpose)s AND withdrawn_by_id IS NULL
  ) AS latest JOIN facts_customer AS record ON record.id = latest.customer_id
  WHERE place = 1 GROUP BY 1, 2 HAVING BOOL_AND(given)
), reached AS (
  SELECT said.person, said.channel FROM said
  JOIN unnest(%(channels)s::text[], %(addresses)s::text[]) AS way (channel, address) ON way.channel = said.channel
  WHERE EXISTS (
    SELECT FROM facts_customer AS record JOIN facts_identifier AS named ON named.customer_id = record.id
    WHERE {PERSON} = said.person AND named.kind = way.address AND NOT named.suppressed)
)
SELECT channel, COUNT(DISTINCT person) FROM reached
WHERE person IN (SELECT customer_id FROM asked)
GROUP BY GROUPING SETS ((channel), ())
"""


def portrait(condition: Condition | None, words: Words, *, now: dt.datetime, scope: Scope) -> Portrait:
    """The group, or with None everybody in scope: what it is compared with."""
    customers, spend, ticket, gap, visits = _one(PORTRAIT, condition, words, now, scope)
    today = today_of(the_chain(), now)
    asked = question(condition, words, today=today, scope=scope)

    def groups(expression: str, joined: str = "", also: str = "TRUE") -> dict[Any, int]:
        with connection.cursor() as sql:
            sql.execute(
                f"SELECT {expression}, COUNT(DISTINCT one.customer_id) FROM {FROM} {joined}"
                f" WHERE {asked.where} AND {also} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_GROUPS}",
                {**asked.values, "until": today, "year_ago": today - dt.timedelta(days=365)},
            )
            return dict(sql.fetchall())

    receipts = " UNION ALL ".join(
        f"SELECT customer_id, receipt_id FROM ({stayed(TABLES[kind], '%(until)s')}) AS {kind}"
        " WHERE business_date > %(year_ago)s AND business_date <= %(until)s"
        for kind in WITH_LINES
    )
    services = (
        f"JOIN ({receipts}) AS r ON r.customer_id = one.customer_id JOIN facts_line AS l ON l.receipt_id = r.receipt_id"
        " JOIN facts_item AS i ON i.id = l.item_id JOIN facts_category AS c ON c.id = i.category_id"
    )
    by_channel = _reachable(asked)
    return Portrait(
        customers, spend, ticket, gap, visits,
        groups("one.birth_decade", also="one.birth_decade IS NOT NULL"),
        groups("card.source", "JOIN facts_customer AS card ON card.id = one.customer_id", "card.source <> ''"),
        groups("c.name", services),
        groups("c.name", "JOIN facts_category AS c ON c.id = one.need_group_id"),
        by_channel.pop(None, 0), by_channel,
    )  # fmt: skip


def _reachable(asked: Question) -> dict[Any, int]:
    """Channel -> customers; None: on any. What she said in another store counts too: whoever asks may see her."""
    ways = {str(channel): consents.ADDRESS[channel] for channel in consents.CHANNELS}
    values = {
        **asked.values, "purpose": str(consents.Purpose.MARKETING), "channels": list(ways),
        "addresses": list(ways.values()),
    }  # fmt: skip
    with seeing(CHAIN_WIDE), connection.cursor() as sql:
        sql.execute(REACHABLE.format(where=asked.where), values)
        return dict(sql.fetchall())


def _seen_by(scope: Scope) -> tuple[str, dict[str, Any]]:
    return whom_sql(scope, person="one.customer_id", home="one.home_store_id")


def movement(segment: Segment, *, since: dt.datetime, scope: Scope) -> tuple[int, int]:
    """How many entered and how many left since a moment, among those that the scope sees."""
    seen, bound = _seen_by(scope)
    with connection.cursor() as sql:
        sql.execute(
            "SELECT COUNT(*) FILTER (WHERE member.entered_at >= %(since)s),"
            " COUNT(*) FILTER (WHERE member.left_at >= %(since)s) FROM profiles_segmentmember AS member"
            f" JOIN {FROM} ON one.customer_id = member.customer_id WHERE member.segment_id = %(segment)s"
            f" AND (member.entered_at >= %(since)s OR member.left_at >= %(since)s) AND {seen}",
            {"since": since, "segment": segment.pk, **bound},
        )
        entered, left = sql.fetchone()
        return entered, left


def members_now(segments: Sequence[Segment], *, scope: Scope) -> dict[int, int]:
    """Segment -> members that are written down and that the scope sees: of tracked groups and frozen lists."""
    seen, bound = _seen_by(scope)
    joined = "" if scope.store_ids is None else f"JOIN {FROM} ON one.customer_id = member.customer_id"
    with connection.cursor() as sql:
        sql.execute(
            f"SELECT member.segment_id, COUNT(*) FROM profiles_segmentmember AS member {joined}"
            f" WHERE member.left_at IS NULL AND member.segment_id = ANY(%(segments)s) AND {seen} GROUP BY 1",
            {"segments": [one.pk for one in segments], **bound},
        )
        found = dict(sql.fetchall())
    return {one.pk: found.get(one.pk, 0) for one in segments if one.is_tracked or one.is_static}


def of_her_own(column: str, why: str, saved: str) -> str:
    """That she moved, not the group: what saving, freezing or dropping it did is no movement of hers. Of rows from
    before reasons were kept the moment tells, as long as the group was not saved again."""
    told = ", ".join(f"'{one}'" for one in OF_THE_GROUP)
    return f"{why} NOT IN ({told}) AND NOT ({why} = '' AND {column} = {saved})"


OF_THE_GROUP = (Why.PUBLISH, Why.FREEZE, Why.UNTRACK, Why.DROP)


@dataclass(frozen=True)
class DayMoved:
    """Who entered and who left on one day."""

    day: dt.date
    entered: int
    left: int


def moved_by_day(segment: Segment, *, since: dt.datetime, scope: Scope, time_zone: str) -> list[DayMoved]:
    """Days on which somebody entered or left since a moment, oldest first. Saving the segment is no movement of hers:
    whoever came and went by that moment's rule is left out."""
    seen, bound = _seen_by(scope)

    def side(column: str, why: str, entered: int, left: int) -> str:
        return (
            f"SELECT (member.{column} AT TIME ZONE %(zone)s)::date AS day, {entered} AS entered, {left} AS gone"
            f" FROM profiles_segmentmember AS member JOIN {FROM} ON one.customer_id = member.customer_id"
            f" WHERE member.segment_id = %(segment)s AND member.{column} >= %(since)s"
            f" AND {of_her_own(f'member.{column}', f'member.{why}', '%(saved)s')} AND {seen}"
        )

    with connection.cursor() as sql:
        sql.execute(
            "SELECT day, SUM(entered)::bigint, SUM(gone)::bigint FROM"
            f" ({side('entered_at', 'entered_why', 1, 0)} UNION ALL {side('left_at', 'left_why', 0, 1)}) AS moved"
            " GROUP BY day ORDER BY day",
            {"segment": segment.pk, "since": since, "saved": segment.changed_at, "zone": time_zone, **bound},
        )  # fmt: skip
        return [DayMoved(*row) for row in sql.fetchall()]


def moved(segments: Sequence[Segment], *, since: dt.datetime, scope: Scope) -> dict[int, tuple[int, int]]:
    """Segment -> how many entered and left since a moment, of their own accord as in `moved_by_day`."""
    seen, bound = _seen_by(scope)
    entered = of_her_own("member.entered_at", "member.entered_why", "whole.changed_at")
    left = of_her_own("member.left_at", "member.left_why", "whole.changed_at")
    found = {one.pk: (0, 0) for one in segments if one.is_tracked and not one.is_static}
    with connection.cursor() as sql:
        sql.execute(
            "SELECT member.segment_id,"
            f" COUNT(*) FILTER (WHERE member.entered_at >= %(since)s AND {entered}),"
            f" COUNT(*) FILTER (WHERE member.left_at >= %(since)s AND {left})"
            " FROM profiles_segmentmember AS member JOIN profiles_segment AS whole ON whole.id = member.segment_id"
            f" JOIN {FROM} ON one.customer_id = member.customer_id"
            " WHERE member.segment_id = ANY(%(segments)s)"
            f" AND (member.entered_at >= %(since)s OR member.left_at >= %(since)s) AND {seen} GROUP BY 1",
            {"segments": list(found), "since": since, **bound},
        )
        return found | {pk: (came, went) for pk, came, went in sql.fetchall()}


@dataclass(frozen=True)
class Stay:
    """She entered, and left or is still there."""

    customer_id: int
    entered_at: dt.datetime
    entered_why: str
    left_at: dt.datetime | None
    left_why: str


def latest_moves(segment: Segment, *, scope: Scope, left: bool, most: int) -> list[Stay]:
    """Who entered or who left last, of their own accord as in `moved_by_day`, among those that the scope sees."""
    column, why = ("left_at", "left_why") if left else ("entered_at", "entered_why")
    own = of_her_own(f"member.{column}", f"member.{why}", "%(saved)s")
    seen, bound = _seen_by(scope)
    there = "member.left_at IS NOT NULL" if left else "member.left_at IS NULL"
    with connection.cursor() as sql:
        sql.execute(
            "SELECT member.customer_id, member.entered_at, member.entered_why, member.left_at, member.left_why"
            " FROM profiles_segmentmember AS member"
            f" JOIN {FROM} ON one.customer_id = member.customer_id WHERE member.segment_id = %(segment)s AND {there}"
            f" AND {own} AND {seen} ORDER BY member.{column} DESC, member.customer_id LIMIT {int(most)}",
            {"segment": segment.pk, "saved": segment.changed_at, **bound},
        )
        return [Stay(*row) for row in sql.fetchall()]


def statement(condition: Condition, words: Words, *, now: dt.datetime) -> tuple[str, list[Any]]:
    """The statement of the ids of all whom it fits, values by position, for a query that is built around it."""
    asked = question(condition, words, today=today_of(the_chain(), now))
    named = re.compile(r"%\((\w+)\)s")
    text = f"SELECT customer_id FROM {FROM} WHERE {asked.where}"
    return named.sub("%s", text), [asked.values[name] for name in named.findall(text)]


@dataclass(frozen=True)
class Spoken:
    """A question as its statement and what is bound to it."""

    sql: str
    values: Mapping[str, Any]


def spoken(condition: Condition, words: Words, *, now: dt.datetime, scope: Scope) -> Spoken:
    """The statement that finds them, for whoever wants to check a number."""
    text, asked = statement_of("customer_id", condition, words, now=now, scope=scope)
    named = re.sub(r"%\((\w+)\)s", r":\1", text)
    return Spoken(sqlglot.transpile(named, read="postgres", write="postgres", pretty=True)[0], asked.values)


def statement_of(
    what: str, condition: Condition | None, words: Words, *, now: dt.datetime, scope: Scope
) -> tuple[str, Question]:
    """Columns or sums of all whom it fits among those that the scope sees, and what is bound."""
    asked = question(condition, words, today=today_of(the_chain(), now), scope=scope)
    return f"SELECT {what} FROM {FROM} WHERE {asked.where}", asked


def _one(what: str, condition: Condition | None, words: Words, now: dt.datetime, scope: Scope) -> tuple[Any, ...]:
    text, asked = statement_of(what, condition, words, now=now, scope=scope)
    with connection.cursor() as sql:
        sql.execute(text, asked.values)
        return tuple(sql.fetchone())
