"""What customers brought the chain over time: profit where costs are recorded, and on how much of the revenue that is.

One statement for a stage, a store and one customer alike. Revenue is what was rendered (docs/algorithms/money.md), less
what was given back on the day it was given back; profit stands beside the part of it of which a profit is known, and
is never guessed for the rest.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from changke.foundation.periods import month_ends

MONTHS = 13
"""Months of one customer that a page shows: the running one and the year before it."""

MOST_MONTHS = 120


def moved(only: str = "") -> str:
    """Every receipt with its sign, in words that DuckDB and PostgreSQL share. `only`: a WHERE of ours, of whom."""
    signed = {"purchases": "", "uses": "", "returns": "-"}
    return " UNION ALL ".join(
        f"SELECT customer_id, store_id, business_date, {sign}margin_minor AS margin_minor,"  # noqa: S608
        f" {sign}consumed_minor AS consumed_minor FROM live.{table} {only}"
        for table, sign in signed.items()
    )


SUMMED = """
SUM(margin_minor)::BIGINT AS margin_minor, SUM(consumed_minor)::BIGINT AS revenue_minor,
SUM(CASE WHEN margin_minor IS NOT NULL THEN consumed_minor ELSE 0 END)::BIGINT AS known_minor
"""
"""Profit (NULL where none is known), revenue, and the part of it of which a profit is known."""


@dataclass(frozen=True)
class Profit:
    """Of some days, in minor units of the chain's currency. `margin_minor` is None where no profit is known."""

    margin_minor: int | None
    revenue_minor: int
    known_minor: int
    """The revenue of which a profit is known."""

    @property
    def known_share(self) -> float | None:
        """On how much of the revenue the profit rests, 0 to 1; None without revenue."""
        return share_known(self.known_minor, self.revenue_minor)


NOTHING = Profit(None, 0, 0)


@dataclass(frozen=True)
class MonthOfProfit:
    """From the day after the month before to `day`: a month's last day, or today."""

    day: dt.date
    profit: Profit


def share_known(known_minor: int, revenue_minor: int) -> float | None:
    """The share; more was given back than rendered makes it none."""
    if revenue_minor <= 0:
        return None
    return min(max(known_minor / revenue_minor, 0.0), 1.0)


def months_of(customer_id: int, *, today: dt.date, months: int = MONTHS) -> list[MonthOfProfit]:
    """Month by month, what one customer brought, the oldest first: the running month and those before it.

    The months before her first receipt are not among them.
    """
    days = month_ends(today, months)
    with connection.cursor() as sql:
        sql.execute(OF_ONE, {"customer": customer_id, "since": days[0].replace(day=1), "today": today})
        found = {(row[0], row[1]): Profit(*row[2:]) for row in sql.fetchall()}
    told = [MonthOfProfit(day, found.get((day.year, day.month), NOTHING)) for day in days]
    first = next((place for place, one in enumerate(told) if one.profit != NOTHING), len(told))
    return told[first:]


def total(profits: Sequence[Profit]) -> Profit:
    """Of several stages or months together."""
    known = [one.margin_minor for one in profits if one.margin_minor is not None]
    return Profit(
        sum(known) if known else None,
        sum(one.revenue_minor for one in profits),
        sum(one.known_minor for one in profits),
    )


OF_ONE = f"""
SELECT EXTRACT(YEAR FROM business_date)::INT AS year, EXTRACT(MONTH FROM business_date)::INT AS month, {SUMMED}
FROM ({moved("WHERE customer_id = %(customer)s")}) AS moved
WHERE business_date BETWEEN %(since)s AND %(today)s
GROUP BY 1, 2
"""  # noqa: S608 -- our own words
