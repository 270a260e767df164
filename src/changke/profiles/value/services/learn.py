"""Learn from everybody's purchase days: a fit, and how the same recipe met a past that was kept from it."""

import datetime as dt
import json
import time
from collections.abc import Callable

import numpy as np

from changke.engine.prediction.days import EPOCH, Days
from changke.engine.prediction.fitted import fit
from changke.engine.prediction.holdout import holdout
from changke.engine.prediction.holidays import CALENDAR
from changke.engine.prediction.margins import Margins
from changke.engine.prediction.scores import Columns
from changke.profiles.value.models import ValueFit, ValueRules
from changke.profiles.value.queries import current_fit, value_rules
from changke.profiles.value.rules import fit_is_stale

UNKNOWN = Margins()
KEEP = 200
"""Fits in the history: four years of weeks."""


def fit_for(
    purchase_days: int,
    everybody: Callable[[], tuple[Days, Columns]],
    *,
    today: dt.date,
    now: dt.datetime,
    anew: bool = False,
) -> ValueFit:
    """The fit to predict by: the latest, or a new one where it is stale or `anew` asks for one.

    Parameters
    ----------
    purchase_days
        How many there are.
    everybody
        The days, and the rows of `days_bought` they are made of: read only to learn.
    """
    latest, rules = current_fit(), value_rules()
    if latest is None or anew or is_stale(latest, purchase_days, rules, today=today):
        days, bought = everybody()
        margins = Margins.of(bought)
        return learn(days, horizon_days=rules.horizon_days, calendar=rules.calendar, now=now, margins=margins)
    return latest


def is_stale(latest: ValueFit, purchase_days: int, rules: ValueRules, *, today: dt.date) -> bool:
    """Whether the chain, which has so many purchase days now, is to be learned anew."""
    return fit_is_stale(
        fitted_on=latest.observation_end,
        horizon_days=latest.horizon_days,
        calendar=latest.calendar,
        purchase_days=latest.purchase_days,
        today=today,
        horizon_now=rules.horizon_days,
        calendar_now=rules.calendar,
        days_now=purchase_days,
    )


def learn(
    days: Days, *, horizon_days: int, now: dt.datetime, margins: Margins = UNKNOWN, calendar: str = CALENDAR
) -> ValueFit:
    """Fit and examine, and keep both. Whatever a shop can have is answered; `fallbacks` says what was done instead."""
    began = time.perf_counter()
    learned = fit(days, horizon_days=horizon_days, calendar=calendar)
    fitted_in = time.perf_counter() - began
    report = holdout(days, horizon_days=horizon_days, calendar=calendar)
    examined_in = time.perf_counter() - began - fitted_in
    made = ValueFit.objects.create(
        fitted_at=now,
        observation_end=learned.observation_end,
        horizon_days=learned.horizon_days,
        customers=learned.customers,
        purchase_days=learned.purchase_days,
        first_day=(EPOCH + np.timedelta64(days.first_day, "D")).item() if len(days.day) else None,
        parameters=json.loads(learned.to_json()),
        fallbacks=learned.fallbacks,
        holdout=report.as_json() if report else None,
        margins=margins.as_json(),
        seconds={"fit": round(fitted_in, 3), "holdout": round(examined_in, 3)},
    )
    _forget_the_oldest()
    return made


def _forget_the_oldest() -> None:
    old = list(ValueFit.objects.order_by("-pk").values_list("pk", flat=True)[KEEP : KEEP + 1])
    if old:
        ValueFit.objects.filter(pk__lte=old[0]).delete()
