"""Counts, samples with their reasons, members, overlap, portraits: all of whom the reader may see."""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from changke.foundation.errors import DomainError
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.profiles.conditions import Both, Condition, ConditionError, Not
from changke.profiles.segments.asking import FROM, SegmentCircle, Words, persons, question, today_of
from changke.profiles.segments.models import Segment

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


def _read(tree: Mapping[str, Any], words: Words) -> Condition:
    try:
        return words.condition(tree)
    except (ConditionError, SegmentCircle) as error:
        raise SegmentUnreadable(problem=str(getattr(error, "problem", error))) from None


def count(condition: Condition | None, words: Words, *, now: dt.datetime, scope: Scope) -> int:
    """How many it fits now, among those that the scope sees."""
    return int(_one("COUNT(*)", condition, words, now, scope)[0])


def sample(condition: Condition, words: Words, *, now: dt.datetime, scope: Scope, most: int = SAMPLE) -> list[int]:
    """A few of them, the most valuable first."""
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


PORTRAIT = (
    "COUNT(*), COALESCE(SUM(net_spend_365d), 0)::bigint, ROUND(AVG(average_ticket))::bigint,"
    " ROUND(AVG(usual_gap_days))::int, COALESCE(SUM(visits_365d), 0)::bigint"
)
MOST_GROUPS = 8


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
                {**asked.values, "year_ago": today - dt.timedelta(days=365)},
            )
            return dict(sql.fetchall())

    services = (
        "JOIN facts_receipt AS r ON r.customer_id = one.customer_id JOIN facts_line AS l ON l.receipt_id = r.id"
        " JOIN facts_item AS i ON i.id = l.item_id JOIN facts_category AS c ON c.id = i.category_id"
    )
    return Portrait(
        customers, spend, ticket, gap, visits,
        groups("one.birth_decade", also="one.birth_decade IS NOT NULL"),
        groups("card.source", "JOIN facts_customer AS card ON card.id = one.customer_id", "card.source <> ''"),
        groups("c.name", services, "r.kind IN ('sale', 'use') AND r.withdrawn_by_id IS NULL"
                                   " AND r.business_date > %(year_ago)s"),
    )  # fmt: skip


def movement(segment: Segment, *, since: dt.datetime, scope: Scope) -> tuple[int, int]:
    """How many entered and how many left since a moment, among those that the scope sees."""
    stores = "" if scope.store_ids is None else "AND one.home_store_id = ANY(%(stores)s)"
    with connection.cursor() as sql:
        sql.execute(
            "SELECT COUNT(*) FILTER (WHERE member.entered_at >= %(since)s),"
            " COUNT(*) FILTER (WHERE member.left_at >= %(since)s) FROM profiles_segmentmember AS member"
            f" JOIN {FROM} ON one.customer_id = member.customer_id WHERE member.segment_id = %(segment)s"
            f" AND (member.entered_at >= %(since)s OR member.left_at >= %(since)s) {stores}",
            {"since": since, "segment": segment.pk, "stores": sorted(scope.store_ids or ())},
        )
        entered, left = sql.fetchone()
        return entered, left


def _one(what: str, condition: Condition | None, words: Words, now: dt.datetime, scope: Scope) -> tuple[Any, ...]:
    asked = question(condition, words, today=today_of(the_chain(), now), scope=scope)
    with connection.cursor() as sql:
        sql.execute(f"SELECT {what} FROM {FROM} WHERE {asked.where}", asked.values)
        return tuple(sql.fetchone())
