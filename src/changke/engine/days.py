"""A day, however whoever calls the engine writes it."""

import datetime as dt

import numpy as np

Day = dt.date | str | np.datetime64


def as_date(day: Day) -> dt.date:
    """The day itself; of a moment its date. Raises ValueError for what is none."""
    if isinstance(day, dt.datetime):
        return day.date()
    if isinstance(day, dt.date):
        return day
    known: object = np.asarray(day, dtype="datetime64[D]").item()
    if not isinstance(known, dt.date):
        raise ValueError(f"not a day: {day!r}")
    return known
