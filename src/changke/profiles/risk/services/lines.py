"""Judge the lines of services by their past, warn of those who let one go while they still come, end what is over.

docs/algorithms/risk.md, Lines of services. Everything here is safe to repeat: a silence of a thread has one warning.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
from django.db import connection, transaction

from changke.engine.churn import JudgedLine, judge_line, passed_over_on
from changke.engine.prediction.days import Days
from changke.facts.catalog.models import Category, Item
from changke.facts.events.services import record_selected
from changke.profiles.risk import rules
from changke.profiles.risk.models import ChurnWarning, RiskRule, ServiceLine
from changke.profiles.risk.queries import rule_in_use
from changke.profiles.risk.services.cards import write_card
from changke.profiles.risk.services.line_days import YEAR_DAYS, LineDays
from changke.profiles.risk.services.seen import Seen
from changke.profiles.risk.services.warn import NOTICED_DAYS, RAISED, SLICE, Warned, close

LEARNED_FOR = dt.timedelta(days=7)
STANDS = dt.timedelta(days=28)
"""How long a warning stands at least before it is lost: her own habit may say so only after the line's lapse."""
KEPT_FROM = 20
"""Customers who had it, from which a line is told of; below there is nothing to say of it yet."""


def warn_of_lines(held: LineDays, bought: Mapping[str, Any], *, today: dt.date, now: dt.datetime) -> Warned:
    """Everything that a night does about lines. `bought` holds customer_id and date of everybody's purchase days."""
    rule = rule_in_use()
    rule = rule if rule and rule.per_line else None
    if rule:
        learn(held, today=today)
    lines = {_key(line): line for line in ServiceLine.objects.all()}
    visits = _days(bought, today)
    done = Warned(ended=_end_of_the_forgotten(set(held.line.tolist()), lines, today=today, now=now))
    for key, days in held.each():
        line = lines.get(key)
        may_raise = rule is not None and line is not None and line.is_on and not line.refused
        if line is None or not (may_raise or _of(line).exists()):
            continue
        seen = Seen.of_line({"customer_id": days.customer_id, "date": days.date}, today)
        if may_raise:
            write_card(seen, horizon_days=line.horizon_days, today=today, now=now, line=line)
        ended = _end(seen, line, today=today, now=now)
        _open_again(seen, line)
        raised = _raise(seen, line, rule, days, visits, today=today, now=now) if rule and may_raise else 0
        refreshed = _refresh(seen, line, days, today)
        done = Warned(done.raised + raised, done.refreshed + refreshed, done.ended + ended)
    return done


def learn(held: LineDays, *, today: dt.date) -> None:
    """Judge each line of which that was not done for a week."""
    known = {_key(line): line for line in ServiceLine.objects.all()}
    for key, days in held.each():
        line = known.get(key)
        if line is not None and dt.timedelta(0) <= today - line.learned_on < LEARNED_FOR:
            continue
        if line is None and (len(np.unique(days.customer_id)) < KEPT_FROM or not _is_there(key)):
            continue
        line = line or ServiceLine(**({"category_id": key} if key > 0 else {"item_id": -key}))
        _write(line, judge_line({"customer_id": days.customer_id, "date": days.date}, observation_end=today), today)


def _write(line: ServiceLine, judged: JudgedLine, today: dt.date) -> None:
    line.learned_on, line.cycle_days, line.threads = today, judged.cycle_days, judged.threads
    line.threshold_bp, line.latest_days = round(10_000 * judged.threshold), judged.latest_days
    line.minimum_silence_days, line.horizon_days = judged.minimum_silence, judged.horizon_days
    line.lapse_days, line.refused = judged.lapse_days, judged.refused
    line.signal_auc_bp = round(10_000 * judged.test.signal.auc) if judged.test and judged.test.rules else None
    line.rows = rules.rows_of(judged.test) if judged.test else []
    if line.pk:  # somebody may have switched it off meanwhile
        line.save(update_fields=[field.name for field in ServiceLine._meta.fields if field.name not in KEPT])
    else:
        line.save()


KEPT = ("id", "category", "item", "is_on")
"""What judging a line again leaves as it is."""


def _is_there(key: int) -> bool:
    """The catalogue may have changed since the lines were read."""
    return Category.objects.filter(pk=key).exists() if key > 0 else Item.objects.filter(pk=-key).exists()


def _key(line: ServiceLine) -> int:
    return line.category_id or -(line.item_id or 0)


def _of(line: ServiceLine) -> Any:
    return ChurnWarning.objects.filter(ended_on__isnull=True, line=line)


def _days(rows: Mapping[str, Any], today: dt.date) -> Days:
    """Customers and days as the engine reads them, up to today."""
    who = np.asarray(rows["customer_id"])
    days = Days.from_days(who, rows["date"], np.zeros(len(who)), observation_end=today)
    return days.known_at(days.end)


def _raise(
    seen: Seen,
    line: ServiceLine,
    rule: RiskRule,
    days: LineDays,
    visits: Days,
    *,
    today: dt.date,
    now: dt.datetime,
) -> int:
    """New warnings, slice by slice, each with its event."""
    fires, by = _fires(seen, line)
    # In the order of the customers, as `seen`. Who has not come since is not counted: she may have it next time.
    held = _days({"customer_id": days.customer_id, "date": days.date}, today)
    late = seen.silent - passed_over_on(held, visits, fires)
    place = np.flatnonzero((late >= 0) & (late < NOTICED_DAYS) & (seen.x + 1 >= rule.least_purchases))
    spent = days.spent_since(today - dt.timedelta(days=YEAR_DAYS))
    raised = 0
    for start in range(0, len(place), SLICE):
        some = place[start : start + SLICE]
        people = np.asarray(seen.customer_id)[some].tolist()
        gaps = np.rint((seen.t_x[some] + line.cycle_days) / (seen.x[some] + 1)).astype(int).tolist()
        values = {
            "rule": rule.pk,
            "line": line.pk,
            "today": today,
            "now": now,
            "customers": people,
            "since": seen.since(some),
            "purchases": (seen.x[some] + 1).astype(int).tolist(),
            "gaps": [max(gap, 1) for gap in gaps],
            "was": seen.outlook_bp(line.horizon_days, some, then=True),
            "is": seen.outlook_bp(line.horizon_days, some),
            "by": by[some].tolist(),
            "spent": [spent.get(customer, 0) for customer in people],
        }
        with transaction.atomic():
            raised += record_selected("warning.raised", NEW, RAISED_OF_LINE, values, now=now)
    return raised


def _fires(seen: Seen, line: ServiceLine) -> tuple[Any, Any]:
    """The silent day on which the line's rule holds, of every thread, and which part of it says so."""
    judged = JudgedLine(
        line.cycle_days, line.threads, line.minimum_silence_days, line.horizon_days, line.lapse_days,
        line.threshold_bp / 10_000, line.latest_days,
    )  # fmt: skip
    days = judged.fires(seen.models[0], seen.x, seen.t_x)
    return days, np.where(days < line.latest_days, "outlook", "latest").astype(object)


NEW = """
WITH told AS (
  SELECT * FROM unnest(%(customers)s::bigint[], %(since)s::date[], %(purchases)s::int[], %(gaps)s::int[],
    %(was)s::int[], %(is)s::int[], %(by)s::text[], %(spent)s::bigint[])
    AS told(customer_id, silent_since, purchases, gap_days, was, now_bp, fired_by, spent)
), raised AS (
  INSERT INTO profiles_churnwarning (customer_id, line_id, silent_since, rule_id, opened_on, opened_at, purchases,
    gap_days, outlook_then_bp, outlook_opened_bp, outlook_bp, expected_on, value_at_risk_minor, cause, causes, ended,
    fired_by)
  SELECT told.customer_id, %(line)s, told.silent_since, %(rule)s, %(today)s, %(now)s, told.purchases, told.gap_days,
    told.was, told.now_bp, told.now_bp, told.silent_since + told.gap_days, told.spent, '', '[]', '', told.fired_by
  FROM told JOIN profiles_profile AS profile ON profile.customer_id = told.customer_id
  WHERE NOT EXISTS (SELECT FROM profiles_churnwarning AS open
    WHERE open.customer_id = told.customer_id AND open.ended_on IS NULL
      AND (open.line_id IS NULL OR open.line_id = %(line)s))
  ON CONFLICT (customer_id, silent_since, line_id) DO NOTHING
  RETURNING customer_id, silent_since, rule_id, outlook_bp, fired_by
)
"""
RAISED_OF_LINE = RAISED.replace(
    "'fired_by', raised.fired_by)", "'fired_by', raised.fired_by, 'line', %(line)s::bigint)"
).replace("|| raised.silent_since", "|| raised.silent_since || ':' || %(line)s")


def _refresh(seen: Seen, line: ServiceLine, days: LineDays, today: dt.date) -> int:
    """Outlook and money of the open ones, as of today."""
    place_of = {int(customer): place for place, customer in enumerate(np.asarray(seen.customer_id).tolist())}
    spent = days.spent_since(today - dt.timedelta(days=YEAR_DAYS))
    rows = [(pk, customer) for pk, customer in _of(line).values_list("pk", "customer_id") if customer in place_of]
    done = 0
    for start in range(0, len(rows), SLICE):
        some = rows[start : start + SLICE]
        values = {
            "ids": [pk for pk, _ in some],
            "outlook": seen.outlook_bp(line.horizon_days, np.array([place_of[customer] for _, customer in some])),
            "spent": [spent.get(customer, 0) for _, customer in some],
        }
        with transaction.atomic(), connection.cursor() as sql:
            sql.execute(FRESH, values)
            done += sql.rowcount
    return done


FRESH = """
UPDATE profiles_churnwarning AS warning SET outlook_bp = told.outlook, value_at_risk_minor = told.spent
FROM unnest(%(ids)s::bigint[], %(outlook)s::int[], %(spent)s::bigint[]) AS told(id, outlook, spent)
WHERE warning.id = told.id
  AND (warning.outlook_bp, warning.value_at_risk_minor) IS DISTINCT FROM (told.outlook, told.spent)
"""


def _end(seen: Seen, line: ServiceLine, *, today: dt.date, now: dt.datetime) -> int:
    """End what is over: she had the line again, stayed away from it too long, or is no customer of her own any more."""
    last = dict(zip(np.asarray(seen.customer_id).tolist(), seen.since(np.arange(len(seen.x))), strict=True))
    over: dict[str, list[tuple[int, dt.date]]] = {"came": [], "lost": [], "gone": []}
    lapse = dt.timedelta(days=line.lapse_days)
    for pk, customer, since, opened in _of(line).values_list("pk", "customer_id", "silent_since", "opened_on"):
        if customer not in last:
            over["gone"].append((pk, today))
        elif last[customer] > since:
            over["came"].append((pk, last[customer]))
        elif today >= (end := max(since + lapse, opened + STANDS)):
            over["lost"].append((pk, end))
    return sum(_close(found, how=how, now=now) for how, found in over.items())


def _end_of_the_forgotten(
    there: set[int], lines: Mapping[int, ServiceLine], *, today: dt.date, now: dt.datetime
) -> int:
    """Of a line that nobody has any days of: its service is none any more, or its receipts were withdrawn."""
    gone = [line for key, line in lines.items() if key not in there]
    rows = ChurnWarning.objects.filter(ended_on__isnull=True, line__in=gone).values_list("pk", flat=True)
    return _close([(pk, today) for pk in rows], how="gone", now=now)


def _close(found: list[tuple[int, dt.date]], *, how: str, now: dt.datetime) -> int:
    done = 0
    for start in range(0, len(found), SLICE):
        some = found[start : start + SLICE]
        done += close([pk for pk, _ in some], [day for _, day in some], how=how, now=now)
    return done


def _open_again(seen: Seen, line: ServiceLine) -> None:
    """Whose day with the line was withdrawn has let it go as before."""
    closed = ChurnWarning.objects.filter(line=line, ended__in=("came_back", "came_after"))
    customers = set(closed.values_list("customer_id", flat=True))
    place = np.flatnonzero((seen.silent < line.lapse_days) & np.isin(seen.customer_id, list(customers)))
    values = {"line": line.pk, "customers": np.asarray(seen.customer_id)[place].tolist(), "since": seen.since(place)}
    with transaction.atomic(), connection.cursor() as sql:
        sql.execute(AGAIN, values)


AGAIN = """
UPDATE profiles_churnwarning AS warning SET ended = '', ended_on = NULL
FROM unnest(%(customers)s::bigint[], %(since)s::date[]) AS told(customer_id, silent_since)
WHERE warning.customer_id = told.customer_id AND warning.silent_since = told.silent_since
  AND warning.line_id = %(line)s AND warning.ended IN ('came_back', 'came_after')
  AND NOT EXISTS (SELECT FROM profiles_churnwarning AS open
    WHERE open.customer_id = warning.customer_id AND open.ended_on IS NULL
      AND (open.line_id IS NULL OR open.line_id = warning.line_id))
"""
