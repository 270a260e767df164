"""When a chain is learned anew, what a grid is divided by, and what ages say. Pure. docs/algorithms/value.md"""

import datetime as dt
from collections.abc import Mapping
from itertools import pairwise

MOST_MINOR = 2**53

REFIT_DAYS = 7
REFIT_GROWTH = 1.5
"""A chain that has so many times the purchase days that the fit knew has become another one."""

BANDS = ("recency_days", "frequency", "money")
"""What the grid is divided by: days of silence; purchases in a year; money of a year in minor units."""
MOST_BOUNDS = 8
YOUNGEST, OLDEST = 10, 100


def fit_is_stale(
    *,
    fitted_on: dt.date,
    horizon_days: int,
    calendar: str,
    purchase_days: int,
    today: dt.date,
    horizon_now: int,
    calendar_now: str,
    days_now: int,
) -> bool:
    """Whether the chain is to be learned anew: weekly, for another horizon or calendar, or when it has become another
    one."""
    return (
        (horizon_days, calendar) != (horizon_now, calendar_now)
        or not 0 <= (today - fitted_on).days < REFIT_DAYS
        or days_now > REFIT_GROWTH * purchase_days
        or days_now * REFIT_GROWTH < purchase_days
    )


def checked_bands(bands: object) -> dict[str, list[int]]:
    """Bounds that divide, ascending and at most eight; ValueError names what is wrong."""
    if not isinstance(bands, dict):
        raise ValueError("bands")
    for name, bounds in bands.items():
        if name not in BANDS or not isinstance(bounds, list) or not 1 <= len(bounds) <= MOST_BOUNDS:
            raise ValueError(str(name))
        if any(isinstance(one, bool) or not isinstance(one, int) or not 0 < one <= MOST_MINOR for one in bounds):
            raise ValueError(name)
        if any(one >= two for one, two in pairwise(bounds)):
            raise ValueError(name)
    return {name: list(bounds) for name, bounds in bands.items()}


def years_left(age: int, *, first: int, until: int) -> int:
    """How many more years somebody of that age is of the ages the chain is made for. Nobody younger has begun yet."""
    return max(until - age, 0) if age >= first else 0


def line_ages(bought: Mapping[int, int]) -> tuple[int, int] | None:
    """The ages that a product line is for, as those who bought it in a year show: from the age below which a twentieth
    of them are to the one above which a twentieth are. None where nobody's age is known.

    Parameters
    ----------
    bought
        Age -> customers.
    """
    total, below, first = sum(bought.values()), 0, None
    for age in sorted(bought):
        below += bought[age]
        if first is None and 20 * below > total:
            first = age
        if first is not None and 20 * below >= 19 * total:
            return first, age
    return None


def expected_years(*, before: int, stayed: int) -> float | None:
    """How long a customer stays with a product line, in years, if each year the share comes again that did of those of
    the year before. None where nobody bought in the year before, or all stayed: then the past shows no end."""
    return None if before == 0 or stayed >= before else 1 / (1 - stayed / before)


def annuity(years: int, *, discount_percent: int) -> float:
    """What one a year is worth today, the first now: three years at 10 % are 2.74."""
    return sum((1 + discount_percent / 100) ** -year for year in range(years))
