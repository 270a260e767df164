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


def month_ends(today: dt.date, months: int) -> list[dt.date]:
    """The last days of the months before and today itself, in order: `months` days in all."""
    found = [today]
    while len(found) < months:
        found.append(found[-1].replace(day=1) - dt.timedelta(days=1))
    return found[::-1]
