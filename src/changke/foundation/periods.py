"""Calendar days in a store's zone. A business date is fixed when a fact is taken in and never recomputed."""

import datetime as dt
from zoneinfo import ZoneInfo


def business_date(happened_at: dt.datetime, time_zone: str) -> dt.date:
    """The day on the wall of the store. `happened_at` carries its zone."""
    if happened_at.tzinfo is None:
        raise ValueError("a moment without a zone has no business date")
    return happened_at.astimezone(ZoneInfo(time_zone)).date()


def start_of_day(day: dt.date, time_zone: str) -> dt.datetime:
    """The first moment of the day in the zone."""
    return dt.datetime.combine(day, dt.time.min, tzinfo=ZoneInfo(time_zone))


def next_birthday(*, month: int, day: int, today: dt.date) -> dt.date:
    """The next birthday, today included. Born on 29 February: celebrated on the 28th in a common year."""
    for year in (today.year, today.year + 1):
        leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
        celebrated = dt.date(year, month, 28 if (month, day) == (2, 29) and not leap else day)
        if celebrated >= today:
            return celebrated
    raise AssertionError("one of two consecutive birthdays lies ahead")
