"""Numbers and months of what goes together."""

import datetime as dt
from calendar import monthrange

LEAST_SUPPORT = 20
"""Customers, baskets or newcomers with both things: with fewer a pair is a coincidence."""

LEAST_MEMBERS = 20
"""Customers of a group who had anything lately: of fewer nothing is told."""

LEAST_DAYS = 30
"""Days in the years around a month on which an item was had: with fewer its index is chance."""

HOME, ALL, TAG = "home", "all", "tag"
"""Groups besides those of `Trait`, of whoever bought nothing yet: her home store, everybody; and wearers of a tag."""

SOON = 0.75
"""Of the usual cycle of an item: had later than that, it is not asked for again."""

EXAMINED_FOR_DAYS = 7
"""Weights are learnt every night and held against the past once a week."""

RECENT_DAYS = 60
AGE_BAND_YEARS = 10
MONTHS = 12
YEARS = 3


def coming_months(today: dt.date) -> list[tuple[dt.date, int]]:
    """First day and length of twelve months, from the one that has begun."""
    first = today.replace(day=1)
    found = []
    for _ in range(MONTHS):
        length = monthrange(first.year, first.month)[1]
        found.append((first, length))
        first += dt.timedelta(days=length)
    return found
