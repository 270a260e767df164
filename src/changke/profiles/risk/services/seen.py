"""Everybody as a rule sees them: purchase days up to today, silence since, and the chance that they come."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from changke.engine.churn import Chances
from changke.engine.clv import BGNBD
from changke.engine.clv.model import PurchaseModel
from changke.engine.clv.statistics import Floats
from changke.engine.clv.summary import Summary
from changke.engine.prediction.coming import Coming
from changke.engine.prediction.days import EPOCH, Days
from changke.engine.prediction.fitted import Fitted, fit
from changke.engine.prediction.stores import NOWHERE

HORIZON_DAYS = 90
"""Of whom no rule asks any more."""


@dataclass(frozen=True)
class Expected:
    """What predictions are made by, and from: so that a warning says what her page says.

    Attributes
    ----------
    fitted
        Asked on today.
    known
        What it is asked of: everybody who ever bought.
    past
        The days it could learn from, where a report card is due.
    """

    fitted: Fitted
    known: Summary
    past: Days | None = None


@dataclass(frozen=True)
class Seen:
    """Everybody with a purchase day, and who says how likely they come."""

    customer_id: Any
    x: Floats
    """Of the days that were read: how many after the first."""
    silent: Floats
    """Days since the last of them."""
    coming: Coming | None
    """Of everybody, in the order of the customers; None where one model of these days alone is asked."""
    models: tuple[PurchaseModel, ...]
    t_x: Floats
    day: int
    """Today, in days since 1970."""
    read: Days
    """What all this was read from."""

    @classmethod
    def of(
        cls, days: Mapping[str, Any], today: dt.date, expected: Expected | None, *, horizon_days: int = HORIZON_DAYS
    ) -> "Seen":
        """The whole customer. Where nothing was expected of anybody yet, it is learned here, from the days alone."""
        read, mine = _read(days, today)
        fitted = expected.fitted if expected else fit(read, horizon_days=horizon_days)
        coming = _of_these(Coming.of(fitted, mine if expected is None else expected.known), expected, mine)
        return cls(
            mine.customer_id, mine.x, mine.T - mine.t_x, coming, fitted.models.models, mine.t_x, read.end, read
        )  # fmt: skip

    @classmethod
    def of_line(cls, days: Mapping[str, Any], today: dt.date) -> "Seen":
        """A line of services, which has a model of its own."""
        read, mine = _read(days, today)
        model = BGNBD().fit(mine)
        return cls(mine.customer_id, mine.x, mine.T - mine.t_x, None, (model,), mine.t_x, read.end, read)

    def chances(self, place: Any) -> tuple[Chances, Floats, Floats]:
        """Whom to ask about these customers, with what is asked of each: x and t_x."""
        if self.coming is None:
            return self.models[0], self.x[place], self.t_x[place]
        some = self.coming.some(place)
        return some, some.x, some.t_x

    def since(self, place: Any) -> list[dt.date]:
        """The days of the last purchases."""
        day = EPOCH + (self.day - self.silent[place]).astype("timedelta64[D]")
        return [one.astype(object) for one in day]

    def outlook_bp(self, horizon: int, place: Any, *, then: bool = False) -> list[int]:
        """Of these customers today; or as it was on the day she bought last."""
        model, x, t_x = self.chances(place)
        chance = model.p_active(horizon, x, t_x, t_x if then else t_x + self.silent[place])
        return np.rint(10_000 * chance).astype(int).tolist()  # type: ignore[no-any-return]


def _read(days: Mapping[str, Any], today: dt.date) -> tuple[Days, Summary]:
    read = Days.of(days, observation_end=today)
    return read, read.until(read.end).summary()


def _of_these(coming: Coming, expected: Expected | None, mine: Summary) -> Coming:
    """In the order of the days that were read. Whom predictions do not know yet has the middle purse and no store."""
    if expected is None:
        return coming
    ids = np.asarray(expected.known.customer_id)
    place = np.minimum(np.searchsorted(ids, mine.customer_id), max(len(ids) - 1, 0))
    there = ids[place] == mine.customer_id if len(ids) else np.zeros(len(mine), bool)
    x, t_x = mine.x.copy(), mine.t_x.copy()
    x[there], t_x[there] = coming.x[place[there]], coming.t_x[place[there]]
    each = None
    if coming.each is not None:
        each = np.full(len(mine), np.exp(coming.fitted.tilt.centre))
        each[there] = coming.each[place[there]]
    store = None
    if coming.store is not None:
        store = np.full(len(mine), NOWHERE)
        store[there] = coming.store[place[there]]
    return Coming(coming.fitted, x, t_x, each, store)
