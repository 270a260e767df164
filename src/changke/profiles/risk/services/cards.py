"""The card of each model that warns: what it learned, from what, and once a week how it meets a past kept from it."""

import datetime as dt

import numpy as np

from changke.engine.churn import examine
from changke.engine.churn.backtest import MODELS
from changke.engine.clv.model import PurchaseModel
from changke.engine.clv.regular import RegularModel
from changke.engine.prediction.days import EPOCH, Days
from changke.profiles.risk.models import RiskFit, ServiceLine
from changke.profiles.risk.rules import EXAMINED_FOR_DAYS, held_by
from changke.profiles.risk.services.seen import Seen

ALL, ONE = MODELS
KEEP = 60
"""Nights in the history of each."""


def write_card(
    seen: Seen,
    *,
    horizon_days: int,
    today: dt.date,
    now: dt.datetime,
    past: Days | None = None,
    line: ServiceLine | None = None,
) -> RiskFit:
    """Keep what the models of this night were. Safe to repeat: a night has one card, the last one.

    `past`: the days to examine them on, money and all, where those that were read do not tell everything."""
    days = seen.read
    fits = [model.fit_ for model in seen.models if model.fit_]
    before = RiskFit.objects.filter(line=line, horizon_days=horizon_days, observation_end__lte=today)
    holdout, examined_on = before.order_by("-observation_end").values_list("holdout", "examined_on").first() or (
        None, None,
    )  # fmt: skip
    if examined_on is None or (today - examined_on).days >= EXAMINED_FOR_DAYS:
        report = examine(past or days, horizon_days=horizon_days, models=ONE if line else ALL)
        holdout, examined_on = report.as_json() if report else None, today
    made, _ = RiskFit.objects.update_or_create(
        line=line,
        observation_end=today,
        defaults={
            "fitted_at": now,
            "horizon_days": horizon_days,
            "customers": len(seen.x),
            "returned": int((np.asarray(seen.x) > 0).sum()),
            "purchase_days": len(days.day),
            "first_day": (EPOCH + np.timedelta64(days.first_day, "D")).item() if len(days.day) else None,
            "parameters": {model.name: _numbers(model) for model in seen.models},
            "fallback": held_by(
                fallback=next((fit.fallback for fit in fits if fit.fallback), None),
                at_edge=any(fit.boundary for fit in fits),
                converged=all(fit.converged for fit in fits),
            ),
            "holdout": holdout,
            "examined_on": examined_on,
        },
    )
    old = RiskFit.objects.filter(line=line).order_by("-observation_end").values_list("observation_end", flat=True)
    if last := list(old[KEEP : KEEP + 1]):
        RiskFit.objects.filter(line=line, observation_end__lte=last[0]).delete()
    return made


def _numbers(model: PurchaseModel) -> dict[str, float]:
    """Its parameters, and k where it knows a rhythm."""
    return {"k": float(model.k), **model.values()} if isinstance(model, RegularModel) else model.values()
