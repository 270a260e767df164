"""The card of the weights: what was learnt, from what, and once a week how they meet next baskets kept from them."""

import datetime as dt
import json

import numpy as np

from changke.engine.affinity import Lines, Weights, examine
from changke.profiles.affinity.models import AffinityFit
from changke.profiles.affinity.rules import EXAMINED_FOR_DAYS

KEEP = 60
"""Nights in the history."""


def write_card(weights: Weights, lines: Lines, *, now: dt.datetime) -> AffinityFit:
    """Keep what this night learnt. Safe to repeat: a night has one card, the last one."""
    today: dt.date = _day(lines.end)
    before = AffinityFit.objects.filter(observation_end__lte=today).order_by("-observation_end")
    holdout, examined_on = before.values_list("holdout", "examined_on").first() or (None, None)
    if examined_on is None or (today - examined_on).days >= EXAMINED_FOR_DAYS:
        report = examine(lines)
        holdout, examined_on = report.as_json() if report else None, today
    made, _ = AffinityFit.objects.update_or_create(
        observation_end=today,
        defaults={
            "fitted_at": now,
            "customers": len(np.unique(lines.customer)),
            "items": len(np.unique(lines.item)),
            "lines": len(lines.day),
            "baskets": weights.baskets,
            "first_day": _day(int(lines.day.min())) if len(lines.day) else None,
            "parameters": json.loads(json.dumps(weights.to_dict())),
            "fallback": "" if weights.is_learnt else "few_baskets",
            "holdout": holdout,
            "examined_on": examined_on,
        },
    )
    old = AffinityFit.objects.order_by("-observation_end").values_list("observation_end", flat=True)
    if last := list(old[KEEP : KEEP + 1]):
        AffinityFit.objects.filter(observation_end__lte=last[0]).delete()
    return made


def _day(day: int) -> dt.date:
    return np.datetime64(day, "D").item()
