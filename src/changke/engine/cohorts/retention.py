"""How many of those who first bought in a month bought in each later month."""

import numpy as np

from changke.engine.cohorts.days import purchase_days
from changke.engine.days import Day, as_date
from changke.engine.engines.frames import fetched
from changke.engine.table import Table

CELLS = """
WITH members AS (SELECT customer, date_trunc('month', min(day))::DATE AS cohort FROM days GROUP BY customer),
sizes AS (SELECT cohort, count(*) AS customers FROM members GROUP BY cohort),
seen AS (
  SELECT cohort, date_diff('month', cohort, day) AS age, count(DISTINCT customer) AS active
  FROM days JOIN members USING (customer) GROUP BY ALL),
grid AS (
  SELECT cohort, customers, age,
         cohort + to_months(CAST(age + 1 AS INTEGER)) - INTERVAL 1 DAY <= $until AS is_over
  FROM sizes, LATERAL (SELECT unnest(range(0, date_diff('month', cohort, $until::DATE) + 1)) AS age))
SELECT cohort, age, customers, coalesce(active, 0) AS active, is_over
FROM grid LEFT JOIN seen USING (cohort, age)
ORDER BY cohort, age
"""


def retention(
    transactions: object,
    *,
    observation_end: Day,
    customer_id: str = "customer_id",
    date: str = "date",
    amount: str | None = None,
) -> Table:
    """Cohorts by calendar month, with every month since, those without a purchase included.

    Parameters
    ----------
    transactions
        One row per receipt or line: a Polars, pandas, Arrow or DuckDB frame, or the path of a Parquet file.
    observation_end
        The last day that is fully known. Later rows are left out.
    customer_id, date, amount
        Names of the columns. With `amount`, a day counts only if its amounts sum to more than zero.

    Returns
    -------
    Table
        cohort (first day of the month), age (months), customers (of the cohort), active (of them bought in that month),
        is_over (False: the month has not ended, so `active` may still grow). Empty for an empty shop.

    Raises
    ------
    UnreadableFrame
    """
    end = as_date(observation_end)
    with purchase_days(
        transactions, observation_end=end, customer_id=customer_id, date=date, amount=amount
    ) as database:
        return fetched(database, CELLS, {"until": end})


def average_retention(cells: Table) -> Table:
    """Per age: customers and active of all cohorts whose month of that age is over. Two counts, to be divided."""
    over = cells["is_over"]
    ages = sorted(set(cells["age"][over].tolist()))
    picked = [over & (cells["age"] == age) for age in ages]
    return Table(
        {
            "age": np.array(ages, dtype=np.int64),
            "customers": np.array([cells["customers"][rows].sum() for rows in picked], dtype=np.int64),
            "active": np.array([cells["active"][rows].sum() for rows in picked], dtype=np.int64),
        }
    )
