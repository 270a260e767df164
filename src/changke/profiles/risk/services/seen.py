"""Everybody as a rule sees them: purchase days up to today, silence since, and the chance that they come."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from changke.engine.clv import BGNBD
from changke.engine.prediction.days import EPOCH, Days


@dataclass(frozen=True)
class Seen:
    """Everybody with a purchase day, and the model of the chain."""

    customer_id: Any
    x: Any
    t_x: Any
    T: Any
    model: BGNBD
    day: int
    """Today, in days since 1970."""
    read: Days
    """What all this was read from."""

    @classmethod
    def of(cls, days: Mapping[str, Any], today: dt.date) -> "Seen":
        read = Days.of(days, observation_end=today)
        known = read.until(read.end).summary()
        return cls(known.customer_id, known.x, known.t_x, known.T, BGNBD().fit(known), read.end, read)

    @property
    def silent(self) -> Any:
        return self.T - self.t_x

    def since(self, place: Any) -> list[dt.date]:
        """The days of the last purchases."""
        day = EPOCH + (self.day - self.silent[place]).astype("timedelta64[D]")
        return [one.astype(object) for one in day]

    def outlook_bp(self, horizon: int, place: Any, *, then: bool = False) -> list[int]:
        """Of these customers today; or as it was on the day she bought last."""
        until = self.t_x if then else self.T
        chance = self.model.p_active(horizon, self.x[place], self.t_x[place], until[place])
        return np.rint(10_000 * chance).astype(int).tolist()  # type: ignore[no-any-return]
