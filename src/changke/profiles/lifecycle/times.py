"""How long customers have been in a stage, and how long those had been there who left it. Medians over the sample."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from changke.foundation.organisation.scope import Scope, in_places
from changke.profiles.lifecycle.models import StageSpell
from changke.profiles.lifecycle.rules import LifecycleModel

FEWEST = 5
"""Spells below which no median is told."""

LEFT_WITHIN_DAYS = 365


@dataclass(frozen=True)
class TimeInStage:
    """Median days, None below FEWEST spells; and of how many customers of the sample each is."""

    stage: str
    now_days: int | None
    now_of: int
    left_days: int | None
    """Of those who left it in the last 365 days: how long they had been there."""
    left_of: int


@dataclass(frozen=True)
class Times:
    """`as_of` is the day of the sample; None before the first."""

    as_of: dt.date | None
    stages: tuple[TimeInStage, ...]


def times_in(model: LifecycleModel, scope: Scope) -> Times:
    """Every stage of the model in the order of life, over the sampled customers whose home is in scope."""
    rows = StageSpell.objects.filter(model=model.key)
    if scope.store_ids is not None:
        rows = rows.filter(in_places(scope))
    found = list(rows)
    return Times(max((one.as_of for one in found), default=None), tuple(_time(one.key, found) for one in model.stages))


def _time(stage: str, spells: Sequence[StageSpell]) -> TimeInStage:
    here = [one for one in spells if one.stage == stage]
    now = [((one.as_of - one.first_on).days, one.weight_milli) for one in here if one.last_on is None]
    left = [
        ((one.last_on - one.first_on).days + 1, one.weight_milli)
        for one in here
        if one.last_on is not None and (one.as_of - one.last_on).days <= LEFT_WITHIN_DAYS
    ]
    return TimeInStage(stage, weighted_median(now), len(now), weighted_median(left), len(left))


def weighted_median(values: Sequence[tuple[int, int]]) -> int | None:
    """The lowest value at which half of the weight is reached; None below FEWEST values. (value, weight) each."""
    if len(values) < FEWEST:
        return None
    whole, reached = sum(weight for _value, weight in values), 0
    for value, weight in sorted(values):
        reached += weight
        if 2 * reached >= whole:
            return value
    return None  # pragma: no cover  -- weights are above zero
