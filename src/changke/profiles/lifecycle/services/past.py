"""The past by two sets of rules: where everybody would have stood on any day, by those of now and by others.

Recomputed from the facts of the day over the mirror, with population values of the day, for both sets alike: whoever
stands elsewhere does so for the rules alone. Small chains are answered while one waits; for large ones the question is
written down and a job answers it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
from django.db import transaction

from changke.foundation.database.connections import conninfo
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.queries import days_at, settings_of
from changke.profiles.lifecycle.models import ReplayState, StageReplay
from changke.profiles.lifecycle.queries import composer_for
from changke.profiles.lifecycle.services.dry_run import NEW, draft, standing_rules
from changke.profiles.lifecycle.services.mirror import mirror_file, open_mirror
from changke.profiles.lifecycle.services.series import Progress, chart_days, first_day, silent, stages_on

MOST_DAYS = 40
"""Days of one question: three years of month ends and a few picked ones. At a million customers one takes some 40 s of
the processor."""

MOST_MONTHS = 36

MOST_WAITING = 5
"""Questions that may wait: each holds the mirror for some minutes at a million customers."""

EARLIEST = dt.date(1970, 1, 1)
"""Before it no shop recorded a receipt that anybody has; a year typed wrong is told at once."""

KEPT = dt.timedelta(days=30)
FORGOTTEN_AFTER = dt.timedelta(days=1)
"""A question that nobody answered in a day stands in nobody's way."""


class TooManyReplays(DomainError):
    code, status = "too_many_replays", 409
    message = "Other questions about the past are being answered. Wait for one of them."


@dataclass(frozen=True)
class PastMove:
    """Customers who stood in `was` on that day by the rules of now and would have in `will`."""

    was: str
    will: str
    customers: int
    value_minor: int
    """Their value at risk on that day, in minor units of the chain's currency."""


@dataclass(frozen=True)
class PastDay:
    """How many stood in each stage at the end of a day by the rules of now and by the new ones, and who differs."""

    day: dt.date
    before: Mapping[str, int]
    after: Mapping[str, int]
    moves: tuple[PastMove, ...]
    """The largest first."""

    @property
    def differing(self) -> int:
        return sum(move.customers for move in self.moves)


def replay(
    definition: Mapping[str, Any],
    *,
    now: dt.datetime,
    months: int = 0,
    days: Sequence[dt.date] = (),
    mirror: Path | None = None,
    progress: Progress = silent,
) -> list[PastDay]:
    """Both sets of rules on past days, oldest first.

    Opens the mirror, which one process at a time may do; takes as long for each day as a refresh without its writing.

    Parameters
    ----------
    months
        Month ends, so many at most, and today.
    days
        Any further days up to today. Before the first fact nobody was known.

    Raises
    ------
    ModelError
        If the model could not be asked or told.
    Invalid
        If a day is still to come, or there are too many.
    """
    chain = the_chain()
    today = days_at(now, chain).chain
    _check(days, months, today)
    new = draft(definition, chain)
    old = standing_rules(new.key)
    cases = {NEW: new.cases} | ({"was": old.cases} if old else {})
    registry = composer_for([new, old] if old else [new]).registry
    found = []
    with open_mirror(mirror or mirror_file(), models=[new]) as (duck, copy):
        snapshot = copy.sync(conninfo("reader")).read_below
        charted = chart_days(first_day(duck), today, months) if months else []
        wanted = sorted({*charted, *days})
        for place, day in enumerate(wanted):
            progress("past", place, len(wanted))
            table = stages_on(
                duck, day, cases, settings=settings_of(chain), snapshot=snapshot, now=now, registry=registry
            )
            found.append(_past_day(duck, day, table, was="was" if old else "''"))
            duck.execute(f"DROP TABLE {table}")
        progress("past", len(wanted), len(wanted))
    return found


def _check(days: Sequence[dt.date], months: int, today: dt.date) -> None:
    if not 0 <= months <= MOST_MONTHS:
        raise Invalid(field="months", reason="choose a number from %(least)s to %(most)s", least=0, most=MOST_MONTHS)
    if len(set(days)) + months > MOST_DAYS:
        raise Invalid(field="days", reason="at most %(most)s", most=MOST_DAYS)
    if days and min(days) < EARLIEST:
        raise Invalid(field="days", reason="name days from %(first)s on", first=EARLIEST.isoformat())
    if days and max(days) > today:
        raise Invalid(
            field="days", reason="%(day)s is still to come: name a day up to %(today)s",
            day=max(days).isoformat(), today=today.isoformat(),
        )  # fmt: skip


def _past_day(duck: duckdb.DuckDBPyConnection, day: dt.date, table: str, *, was: str) -> PastDay:
    rows = duck.execute(
        f"SELECT {was}, {NEW}, COUNT(*), COALESCE(SUM(value_at_risk), 0)::BIGINT FROM {table} GROUP BY ALL"  # noqa: S608
    ).fetchall()
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    for old, will, customers, _ in rows:
        before[old] = before.get(old, 0) + customers
        after[will] = after.get(will, 0) + customers
    moves = sorted((PastMove(*row) for row in rows if row[0] != row[1]), key=lambda one: (-one.customers, one.was))
    return PastDay(day, before, after, tuple(moves))


@transaction.atomic
def ask_past(
    definition: Mapping[str, Any], *, months: int, days: Sequence[dt.date], by_name: str, now: dt.datetime
) -> StageReplay:
    """Write down what is asked of the past; `answer_past` answers. Questions older than a month are forgotten.

    Raises
    ------
    ModelError, Invalid
        As `replay`; also where no day is asked about.
    TooManyReplays
        If many wait already.
    """
    chain = the_chain()
    if not (days or months):
        raise Invalid(field="days", reason="name at least one day, or months")
    _check(days, months, days_at(now, chain).chain)
    draft(definition, chain)
    StageReplay.objects.filter(asked_at__lt=now - KEPT).delete()
    busy = StageReplay.objects.filter(
        state__in=(ReplayState.WAITING, ReplayState.RUNNING), asked_at__gt=now - FORGOTTEN_AFTER
    )
    if busy.count() >= MOST_WAITING:
        raise TooManyReplays
    return StageReplay.objects.create(
        definition=dict(definition), months=months, days=sorted({day.isoformat() for day in days}),
        asked_by=by_name[:200], asked_at=now,
    )  # fmt: skip


def answer_past(asked: StageReplay, *, now: dt.datetime, mirror: Path | None = None) -> StageReplay:
    """Answer a question that was written down, as of the moment of answering. Safe to repeat after a kill."""
    _set(asked, state=ReplayState.RUNNING, done=0, total=0)
    found = replay(
        asked.definition, now=now, months=asked.months, days=[dt.date.fromisoformat(day) for day in asked.days],
        mirror=mirror, progress=lambda _step, done, total: _set(asked, done=done, total=total),
    )  # fmt: skip
    rows = [{**asdict(one), "day": one.day.isoformat(), "differing": one.differing} for one in found]
    _set(asked, state=ReplayState.DONE, finished_at=now, rows=rows)
    return asked


def give_up(replay_id: int, *, now: dt.datetime) -> None:
    """It broke: whoever asked may ask again."""
    StageReplay.objects.filter(pk=replay_id).update(state=ReplayState.FAILED, finished_at=now)


def _set(asked: StageReplay, **values: object) -> None:
    StageReplay.objects.filter(pk=asked.pk).update(**values)
    for name, value in values.items():
        setattr(asked, name, value)
