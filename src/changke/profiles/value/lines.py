"""Product lines and how long customers stay with them: the whole line, and by ages of five years."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from changke.foundation.organisation.scope import Scope, in_places
from changke.profiles.value.grid import AGE_STEP
from changke.profiles.value.models import LineAge
from changke.profiles.value.rules import expected_years, line_ages, years_left

FEWEST = 5
"""Whoever sees only some customers of a store is told of so many together, never of fewer: one might be anybody."""

Row = Mapping[str, Any]
"""Sums of a category and a year of birth over the stores."""


@dataclass(frozen=True)
class Held:
    """Customers of a product line: how many ever, how many in the last year, how many of those of the year before came
    again, and what they spent on it in the last year."""

    customers: int
    bought: int
    before: int
    stayed: int
    held_days: int
    spent_minor: int

    @property
    def expected_years(self) -> float | None:
        """How long one of them stays; None where the past shows no end, or no beginning."""
        return expected_years(before=self.before, stayed=self.stayed)

    @property
    def days(self) -> int:
        """From the first to the last time, on average; who came once has none."""
        return self.held_days // self.customers if self.customers else 0


@dataclass(frozen=True)
class Band:
    """Those of some ages. `years_left`: on average, until the last of the ages that the line is for."""

    first: int
    last: int
    held: Held
    years_left: int | None


@dataclass(frozen=True)
class Line:
    """A product line. `ages`: those it is for, from the first to the last; their difference is its product life."""

    category_id: int
    name: str
    held: Held
    ages: tuple[int, int] | None
    bands: tuple[Band, ...]

    @property
    def life_years(self) -> int | None:
        return self.ages[1] - self.ages[0] if self.ages else None


@dataclass(frozen=True)
class Lines:
    """As of the day of the night that counted them; None before the first. `fewest`: lines and ages with fewer
    customers are left out."""

    as_of: dt.date | None
    lines: tuple[Line, ...]
    fewest: int = 1


def product_lines(scope: Scope | None = None) -> Lines:
    """Those that the customers of these homes bought, the one with the most of them in the last year first.

    Stores are counted as a whole. To whom only some of their customers are shown, less than FEWEST are not told of.
    """
    rows = LineAge.objects.all()
    if scope is not None and scope.store_ids is not None:
        rows = rows.filter(in_places(scope))
    fewest = FEWEST if scope is not None and scope.sees_some else 1
    sums = {name: Sum(name) for name in Held.__dataclass_fields__}
    found: dict[int, list[Row]] = {}
    for row in rows.values("category_id", "category__name", "birth_year", "as_of").annotate(**sums):
        found.setdefault(row["category_id"], []).append(row)
    lines = [_line(category, some, fewest) for category, some in found.items()]
    told = [one for one in lines if one.held.customers >= fewest]
    told.sort(key=lambda one: (-one.held.bought, -one.held.customers, one.name))
    return Lines(max((row["as_of"] for some in found.values() for row in some), default=None), tuple(told), fewest)


def _line(category: int, rows: list[Row], fewest: int) -> Line:
    bought: dict[int, int] = {}
    by_age: dict[int, list[Row]] = {}
    for row in rows:
        age = _age(row)
        if age is not None:
            bought[age] = bought.get(age, 0) + row["bought"]
            by_age.setdefault(age // AGE_STEP * AGE_STEP, []).append(row)
    ages = line_ages(bought) if sum(bought.values()) >= fewest else None
    bands = (
        Band(start, start + AGE_STEP - 1, _held(some), _left(some, ages)) for start, some in sorted(by_age.items())
    )
    told = tuple(one for one in bands if one.held.customers >= fewest)
    return Line(category, rows[0]["category__name"], _held(rows), ages, told)


def _age(row: Row) -> int | None:
    age = -1 if row["birth_year"] is None else int(row["as_of"].year - row["birth_year"])
    return age if age >= 0 else None


def _held(rows: Iterable[Row]) -> Held:
    some = list(rows)
    return Held(*(sum(int(row[name]) for row in some) for name in Held.__dataclass_fields__))


def _left(rows: list[Row], ages: tuple[int, int] | None) -> int | None:
    if ages is None:
        return None
    total: int = sum(row["customers"] for row in rows)
    years: int = sum(row["customers"] * years_left(_age(row) or 0, first=0, until=ages[1]) for row in rows)
    return round(years / total)
