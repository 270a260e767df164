"""A day, however whoever calls the engine writes it."""

import datetime as dt

import numpy as np

from changke.engine.refusals import Refusal

Day = dt.date | str | np.datetime64


class NotADay(Refusal):
    """What was given as a day is none."""

    code = "not_a_day"


def as_date(day: Day) -> dt.date:
    """The day itself; of a moment its date. Raises NotADay for what is none."""
    if isinstance(day, dt.datetime):
        return day.date()
    if isinstance(day, dt.date):
        return day
    try:
        known: object = np.asarray(day, dtype="datetime64[D]").item()
    except (TypeError, ValueError):
        known = None
    if not isinstance(known, dt.date):
        raise NotADay(f"not a day: {day!r}; write it as 2026-06-30, or give a date")
    return known
