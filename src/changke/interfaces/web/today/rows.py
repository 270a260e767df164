"""One line of the day's list, said in words."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext

from changke.decisions.next_best_action.queries import DayList, Line
from changke.foundation.organisation.models import Chain
from changke.interfaces import words

MORNING, NOON, AFTERNOON, EVENING = 5, 11, 13, 18
"""Hours at which one greets differently."""

SAYS_ALREADY = {("vip_overdue", "overdue"), ("at_risk", "overdue"), ("at_risk", "newly_silent")}
"""Pairs of reasons whose first one says the second."""


@dataclass(frozen=True)
class Row:
    """A line of the list and its words."""

    line: Line
    label: str | Promise
    tone: str
    also: list[str | Promise]
    why: str
    suggestion: str | Promise
    level: str | Promise
    outcome: str | Promise

    @property
    def after(self) -> int:
        """The follow-up that was the last one when this line was drawn: the next tap follows it."""
        return self.line.last.event_id if self.line.last else 0


def row_of(line: Line, chain: Chain, now: dt.datetime) -> Row:
    known = {"currency": chain.currency, "counted": chain.counted}
    return Row(
        line=line,
        label=words.REASON_LABELS[line.reason],
        tone=words.REASON_TONES[line.reason],
        also=[words.REASON_LABELS[reason] for reason in line.also if (line.reason, reason) not in SAYS_ALREADY],
        why=words.why(line.reason, line.numbers, **known, deadline=line.deadline, now=now),
        suggestion=words.SUGGESTIONS[line.suggestion],
        level=words.VALUE_GROUPS.get(line.value_group or "", ""),
        outcome=words.OUTCOMES[line.outcome] if line.outcome else "",
    )


@dataclass(frozen=True)
class Day:
    """The list as the page shows it: what is left to do first, what was dealt with below."""

    on: dt.date
    rows: list[Row]
    done: int
    closed_until: dt.date | None = None

    @property
    def total(self) -> int:
        return len(self.rows)

    @property
    def left(self) -> list[Row]:
        return [row for row in self.rows if row.line.outcome is None]

    @property
    def dealt_with(self) -> list[Row]:
        return [row for row in self.rows if row.line.outcome is not None]

    def row(self, customer_id: int) -> Row | None:
        """Her line, if she is on the list."""
        return next((row for row in self.rows if row.line.customer_id == customer_id), None)


def day_of(found: DayList, chain: Chain, now: dt.datetime) -> Day:
    return Day(found.day, [row_of(line, chain, now) for line in found.lines], found.done, found.closed_until)


def greeting(name: str, now: dt.datetime, time_zone: str) -> str:
    """Good morning, by the clock on the shop's wall."""
    hour = now.astimezone(ZoneInfo(time_zone)).hour
    if MORNING <= hour < NOON:
        return gettext("Good morning, %(name)s") % {"name": name}
    if NOON <= hour < AFTERNOON:
        return gettext("Good day, %(name)s") % {"name": name}
    if AFTERNOON <= hour < EVENING:
        return gettext("Good afternoon, %(name)s") % {"name": name}
    return gettext("Good evening, %(name)s") % {"name": name}
