"""Raise warnings by the rule in use, bring the open ones up to date, and end those that are over.

docs/algorithms/risk.md says what a warning is. Everything here is safe to repeat: a silence has one warning.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection, transaction

from changke.engine.churn import has_fired
from changke.facts.events.services import record_selected
from changke.foundation.cursors import close_window, open_window
from changke.profiles.risk.models import ChurnWarning, RiskRule
from changke.profiles.risk.queries import any_open, rule_in_use
from changke.profiles.risk.services.cards import write_card
from changke.profiles.risk.services.seen import HORIZON_DAYS, Expected, Seen

NOTICED_DAYS = 14
"""Whose alert day is longer ago was silent before anybody chose the rule."""
SLICE = 2_000
"""Warnings of one transaction: a fraction of a second."""
CURSOR = "risk.warnings"


@dataclass(frozen=True)
class Warned:
    """What a run did: new warnings, open ones brought up to date, ended ones."""

    raised: int = 0
    refreshed: int = 0
    ended: int = 0


def warn(
    days: Mapping[str, Any],
    *,
    today: dt.date,
    lost_after_days: int,
    now: dt.datetime,
    expected: Expected | None = None,
) -> Warned:
    """Everything that a night does about warnings.

    Parameters
    ----------
    days
        customer_id and date of everybody's purchase days.
    expected
        What predictions are made by; where there are none yet it is learned from the days.
    """
    rule = rule_in_use()
    if rule is None and not any_open():
        return Warned()
    horizon = rule.horizon_days if rule else HORIZON_DAYS
    seen = Seen.of(days, today, expected, horizon_days=horizon)
    if rule:
        past = expected.past if expected and expected.past else seen.read
        write_card(seen, horizon_days=horizon, today=today, now=now, past=past)
    ended = _end(seen, today=today, lost_after_days=lost_after_days, now=now)
    _open_again(seen, today=today, lost_after_days=lost_after_days)
    raised = _raise(seen, rule, today=today, lost_after_days=lost_after_days, now=now) if rule else 0
    ended += _replace_lines(today=today, now=now)
    refreshed = _refresh(seen, today)
    return Warned(raised, refreshed, ended)


def _raise(seen: Seen, rule: RiskRule, *, today: dt.date, lost_after_days: int, now: dt.datetime) -> int:
    """New warnings, slice by slice, each with its event."""
    place, by = _new(seen, rule, lost_after_days)
    raised = 0
    for start in range(0, len(place), SLICE):
        some = place[start : start + SLICE]
        values = {
            "rule": rule.pk,
            "today": today,
            "now": now,
            "customers": np.asarray(seen.customer_id)[some].tolist(),
            "since": seen.since(some),
            "purchases": (seen.x[some] + 1).astype(int).tolist(),
            "was": seen.outlook_bp(rule.horizon_days, some, then=True),
            "is": seen.outlook_bp(rule.horizon_days, some),
            "by": by[start : start + SLICE].tolist(),
        }
        with transaction.atomic():
            raised += record_selected("warning.raised", NEW, RAISED, values, now=now)
    return raised


def _new(seen: Seen, rule: RiskRule, lost_after_days: int) -> tuple[Any, Any]:
    """Of whom the rule says so today and did not two weeks ago, and which part of it came first.

    The chance is asked of two days of each silence, not of all of them: what it says falls, so between these two lies
    the day on which the rule first held."""
    may = (seen.silent < lost_after_days) & (seen.x + 1 >= rule.least_purchases)
    place = np.flatnonzero(may)
    if rule.kind == "fixed":
        late = seen.silent[place] - rule.threshold
        place = place[(late >= 0) & (late < NOTICED_DAYS)]
        return place, np.full(len(place), rule.kind, dtype=object)
    place = place[_holds(seen, rule, place, seen.silent[place])]
    place = place[~_holds(seen, rule, place, seen.silent[place] - NOTICED_DAYS)]
    by = np.full(len(place), rule.kind, dtype=object)
    if rule.latest_days is not None:
        silent = np.minimum(seen.silent[place], rule.latest_days)
        by[~_scored(seen, rule, place, silent)] = "latest"
    return place, by


def _holds(seen: Seen, rule: RiskRule, place: Any, silent: Any) -> Any:
    """Whether the rule says so on these silent days of these customers."""
    latest = np.zeros(len(place), bool) if rule.latest_days is None else silent >= rule.latest_days
    latest[~latest] = _scored(seen, rule, place[~latest], silent[~latest])
    return latest


def _scored(seen: Seen, rule: RiskRule, place: Any, silent: Any) -> Any:
    """The same of its outlook or fall alone."""
    found = silent >= rule.minimum_silence_days
    model, x, t_x = seen.chances(place[found])
    found[found] = has_fired(
        model, rule.kind, rule.threshold / 10_000, x, t_x, silent[found], horizon_days=rule.horizon_days
    )
    return found


NEW = """
WITH told AS (
  SELECT * FROM unnest(%(customers)s::bigint[], %(since)s::date[], %(purchases)s::int[], %(was)s::int[],
    %(is)s::int[], %(by)s::text[]) AS told(customer_id, silent_since, purchases, was, now_bp, fired_by)
), raised AS (
  INSERT INTO profiles_churnwarning (customer_id, silent_since, rule_id, opened_on, opened_at, purchases,
    outlook_then_bp, outlook_opened_bp, outlook_bp, expected_on, value_at_risk_minor, cause, causes, ended, fired_by)
  SELECT told.customer_id, told.silent_since, %(rule)s, %(today)s, %(now)s, told.purchases, told.was, told.now_bp,
    told.now_bp, profile.expected_next_visit_on, profile.value_at_risk, '', '[]', '', told.fired_by
  FROM told JOIN profiles_profile AS profile ON profile.customer_id = told.customer_id
  WHERE NOT EXISTS (SELECT FROM profiles_churnwarning AS open
    WHERE open.customer_id = told.customer_id AND open.line_id IS NULL AND open.ended_on IS NULL)
  ON CONFLICT (customer_id, silent_since, line_id) DO NOTHING
  RETURNING customer_id, silent_since, rule_id, outlook_bp, fired_by
)
"""
RAISED = """
SELECT raised.customer_id, profile.home_store_id, jsonb_build_object('rule', raised.rule_id, 'outlook_bp',
    raised.outlook_bp, 'silent_since', raised.silent_since, 'fired_by', raised.fired_by), %(now)s::timestamptz,
  %(today)s::date, 'warning:' || raised.customer_id || ':' || raised.silent_since
FROM raised JOIN profiles_profile AS profile ON profile.customer_id = raised.customer_id
"""


def _refresh(seen: Seen, today: dt.date) -> int:
    """Outlook and money of the open ones, as of today."""
    place_of = {int(customer): place for place, customer in enumerate(np.asarray(seen.customer_id).tolist())}
    done = 0
    for rows in _open_ones():
        by_horizon: dict[int, list[tuple[int, int]]] = {}
        for pk, customer, horizon in rows:
            if customer in place_of:
                by_horizon.setdefault(horizon, []).append((pk, place_of[customer]))
        for horizon, some in by_horizon.items():
            outlook = seen.outlook_bp(horizon, np.array([place for _, place in some]))
            with transaction.atomic(), connection.cursor() as sql:
                sql.execute(FRESH, {"ids": [pk for pk, _ in some], "outlook": outlook})
                done += sql.rowcount
    return done


def _open_ones() -> Iterator[list[tuple[int, int, int]]]:
    last = 0
    rows = ChurnWarning.objects.filter(ended_on__isnull=True, line__isnull=True).order_by("pk")
    while some := list(rows.filter(pk__gt=last).values_list("pk", "customer_id", "rule__horizon_days")[:SLICE]):
        last = some[-1][0]
        yield some


FRESH = """
UPDATE profiles_churnwarning AS warning
SET outlook_bp = told.outlook, value_at_risk_minor = profile.value_at_risk
FROM unnest(%(ids)s::bigint[], %(outlook)s::int[]) AS told(id, outlook), profiles_profile AS profile
WHERE warning.id = told.id AND profile.customer_id = warning.customer_id
  AND (warning.outlook_bp, warning.value_at_risk_minor) IS DISTINCT FROM (told.outlook, profile.value_at_risk)
"""


def _end(seen: Seen, *, today: dt.date, lost_after_days: int, now: dt.datetime) -> int:
    """End what is over: she came, is lost, or is no customer of her own any more."""
    last = dict(zip(np.asarray(seen.customer_id).tolist(), seen.since(np.arange(len(seen.x))), strict=True))
    came: list[tuple[int, dt.date]] = []
    lost: list[tuple[int, dt.date]] = []
    gone: list[tuple[int, dt.date]] = []
    rows = ChurnWarning.objects.filter(ended_on__isnull=True, line__isnull=True)
    for pk, customer, since in rows.values_list("pk", "customer_id", "silent_since").iterator(chunk_size=SLICE):
        if customer not in last:
            gone.append((pk, today))
        elif last[customer] > since:
            came.append((pk, last[customer]))
        elif (today - since).days >= lost_after_days:
            lost.append((pk, since + dt.timedelta(days=lost_after_days)))
    done = 0
    for how, found in (("came", came), ("lost", lost), ("gone", gone)):
        for start in range(0, len(found), SLICE):
            some = found[start : start + SLICE]
            done += close([pk for pk, _ in some], [day for _, day in some], how=how, now=now)
    return done


def _replace_lines(*, today: dt.date, now: dt.datetime) -> int:
    """Whoever is warned of as a whole is warned of no line any more: two alarms about one silence are one too many."""
    whole = ChurnWarning.objects.filter(ended_on__isnull=True, line__isnull=True)
    of_lines = ChurnWarning.objects.filter(ended_on__isnull=True, line__isnull=False)
    found = list(of_lines.filter(customer_id__in=whole.values("customer_id")).values_list("pk", flat=True))
    return sum(
        close(some, [today] * len(some), how="replaced", now=now)
        for some in (found[start : start + SLICE] for start in range(0, len(found), SLICE))
    )


def close(ids: list[int], days: list[dt.date], *, how: str, now: dt.datetime) -> int:
    """End these open warnings on these days: `came`, `lost`, `gone` or `replaced`. Whoever came after
    somebody had reached her is told apart from whoever came by herself. Each end is an event; how many there were."""
    values = {"ids": ids, "days": days, "how": how, "now": now}
    with transaction.atomic():
        return record_selected("warning.closed", CLOSED, ENDED, values, now=now)


REACHED = """
EXISTS (SELECT FROM facts_customer AS record JOIN facts_event AS event ON event.customer_id = record.id
  WHERE CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END = warning.customer_id
    AND event.kind = 'followup.recorded' AND event.withdrawn_by_id IS NULL AND event.data ->> 'outcome' = 'done'
    AND event.happened_at >= warning.opened_at AND event.business_date <= told.day)
"""
CLOSED = f"""
WITH told AS (SELECT * FROM unnest(%(ids)s::bigint[], %(days)s::date[]) AS told(id, day)), closed AS (
  UPDATE profiles_churnwarning AS warning
  SET ended_on = told.day, ended = CASE WHEN %(how)s <> 'came' THEN %(how)s
    WHEN {REACHED} THEN 'came_after' ELSE 'came_back' END
  FROM told WHERE warning.id = told.id AND warning.ended_on IS NULL
  RETURNING warning.customer_id, warning.silent_since, warning.ended, warning.ended_on, warning.id
)
"""  # noqa: S608 -- our own words
ENDED = """
SELECT closed.customer_id, profile.home_store_id, jsonb_build_object('ended', closed.ended, 'silent_since',
    closed.silent_since), %(now)s::timestamptz, closed.ended_on, 'warning:' || closed.id || ':' || gen_random_uuid()
FROM closed LEFT JOIN profiles_profile AS profile ON profile.customer_id = closed.customer_id
"""


def _open_again(seen: Seen, *, today: dt.date, lost_after_days: int) -> None:
    """Whose purchase was withdrawn is as silent as before."""
    with transaction.atomic(), connection.cursor() as sql:
        place = np.flatnonzero(seen.silent < lost_after_days)
        for start in range(0, len(place), 20 * SLICE):
            some = place[start : start + 20 * SLICE]
            values = {"customers": np.asarray(seen.customer_id)[some].tolist(), "since": seen.since(some)}
            sql.execute(AGAIN, values)


AGAIN = """
UPDATE profiles_churnwarning AS warning SET ended = '', ended_on = NULL
FROM unnest(%(customers)s::bigint[], %(since)s::date[]) AS told(customer_id, silent_since)
WHERE warning.customer_id = told.customer_id AND warning.silent_since = told.silent_since
  AND warning.line_id IS NULL AND warning.ended IN ('came_back', 'came_after')
  AND NOT EXISTS (SELECT FROM profiles_churnwarning AS open
    WHERE open.customer_id = warning.customer_id AND open.line_id IS NULL AND open.ended_on IS NULL)
"""


def follow(now: dt.datetime) -> int:
    """End the warnings of those who bought since the last call. Safe to repeat."""
    window = open_window(CURSOR)
    if window.since > window.below:  # a restored database counts its transactions anew
        close_window(CURSOR, type(window)(0, window.below))
        return 0
    if window.is_empty:
        return 0
    done = 0
    if any_open():
        with connection.cursor() as sql:
            sql.execute(CAME, {"since": str(window.since), "below": str(window.below)})
            found = sql.fetchall()
        if found:
            done = close([pk for pk, _ in found], [day for _, day in found], how="came", now=now)
    with transaction.atomic():
        close_window(CURSOR, window)
    return done


CAME = """
SELECT warning.id, MAX(receipt.business_date)
FROM facts_receipt AS receipt
JOIN facts_customer AS record ON record.id = receipt.customer_id
JOIN profiles_churnwarning AS warning ON warning.ended_on IS NULL AND warning.customer_id =
  CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END
WHERE receipt.txid >= %(since)s::text::xid8 AND receipt.txid < %(below)s::text::xid8
  AND receipt.kind IN ('sale', 'use') AND receipt.withdrawn_by_id IS NULL
  AND receipt.business_date > warning.silent_since
  AND (warning.line_id IS NULL OR EXISTS (
    SELECT FROM facts_line AS held JOIN facts_item AS item ON item.id = held.item_id AND item.kind = 'service'
    JOIN profiles_serviceline AS line ON line.id = warning.line_id
    WHERE held.receipt_id = receipt.id AND (item.category_id = line.category_id OR item.id = line.item_id)))
GROUP BY warning.id
"""


def give_up(customer_id: int, *, today: dt.date, now: dt.datetime) -> int:
    """Somebody wrote down that she is lost: her open warning ends as that."""
    ids = list(ChurnWarning.objects.filter(customer_id=customer_id, ended_on__isnull=True).values_list("pk", flat=True))
    return close(ids, [today] * len(ids), how="lost", now=now) if ids else 0
