"""Ask the shop's own past which rule would have warned, and how well."""

import datetime as dt

from django.db import transaction

from changke.engine.churn import backtest
from changke.foundation.errors import DomainError, Invalid
from changke.profiles.risk import rules
from changke.profiles.risk.models import BackTest, State

REPORT_EVERY = 4
"""Thresholds between two reports of progress."""

FORGOTTEN_AFTER = dt.timedelta(days=1)
"""A back-test that nobody answered in a day stands in nobody's way."""


class BacktestRunning(DomainError):
    code, status = "backtest_running", 409
    message = "A back-test is running already. Wait for its answer."


@transaction.atomic
def ask(asked: rules.Asked, *, by_name: str, now: dt.datetime) -> BackTest:
    """Write down what is asked; `run` answers. One at a time: it reads everybody's past.

    Raises
    ------
    Invalid
        If a number lies outside its bounds.
    BacktestRunning
        If another one waits or runs.
    """
    if wrong := asked.wrong():
        field, least, most = wrong
        raise Invalid(field=field, reason="choose a number from %(least)s to %(most)s", least=least, most=most)
    busy = BackTest.objects.filter(state__in=(State.WAITING, State.RUNNING), asked_at__gt=now - FORGOTTEN_AFTER)
    if busy.exists():
        raise BacktestRunning
    return BackTest.objects.create(
        horizon_days=asked.horizon_days,
        minimum_silence_days=asked.minimum_silence_days,
        least_purchases=asked.least_purchases,
        wanted_precision_bp=None if asked.precision_percent is None else asked.precision_percent * 100,
        wanted_weekly=asked.weekly,
        asked_by=by_name[:200],
        asked_at=now,
    )


def run(backtest_id: int, transactions: object, *, now: dt.datetime) -> BackTest:
    """Answer over the days of everybody (customer_id, date); the last of them is the last that is known. Safe to
    repeat after a kill."""
    asked = BackTest.objects.get(pk=backtest_id)
    _set(asked, state=State.RUNNING, done=0, total=0)
    said = backtest(
        transactions,
        horizon_days=asked.horizon_days,
        minimum_silence=asked.minimum_silence_days,
        least_purchases=asked.least_purchases,
        precision=None if asked.wanted_precision_bp is None else asked.wanted_precision_bp / 10_000,
        alerts_per_week=asked.wanted_weekly,
        progress=lambda done, total: _report(asked, done, total),
    )
    known = said.customers > 0
    _set(
        asked,
        state=State.DONE,
        finished_at=now,
        first_on=_day(said.first_day) if known else None,
        last_on=_day(said.end) if known else None,
        cut_on=_day(said.cut) if known and said.rules else None,
        used_horizon_days=said.horizon_days,
        used_lapse_days=said.lapse_days,
        customers=said.customers,
        silences=said.silences,
        has_signal=rules.has_signal(said),
        signal_auc_bp=round(said.signal.auc * 10_000),
        rows=rules.rows_of(said),
    )
    return asked


def give_up(backtest_id: int, *, now: dt.datetime) -> None:
    """It broke: whoever asked may ask again."""
    BackTest.objects.filter(pk=backtest_id).update(state=State.FAILED, finished_at=now)


def _report(asked: BackTest, done: int, total: int) -> None:
    if done % REPORT_EVERY == 0 or done == total:
        _set(asked, done=done, total=total)


def _set(asked: BackTest, **values: object) -> None:
    BackTest.objects.filter(pk=asked.pk).update(**values)
    for name, value in values.items():
        setattr(asked, name, value)


def _day(number: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=number)
