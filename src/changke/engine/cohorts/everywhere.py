"""Retention over the facts where they lie, on each engine: the counts of `retention`, without a frame in between."""

import sqlglot
from sqlglot import exp

from changke.engine.definitions import Statement
from changke.engine.definitions.statement import spell

# Months are counted, never truncated: engines give a truncated day another type.
CELLS = """
WITH days AS (
  SELECT customer_id, CAST(EXTRACT(YEAR FROM business_date) AS BIGINT) * 12 + CAST(EXTRACT(MONTH FROM business_date) AS BIGINT) - 1 AS month
  FROM live.purchases WHERE business_date <= :until
), members AS (
  SELECT customer_id, MIN(month) AS cohort FROM days GROUP BY customer_id
), sizes AS (
  SELECT cohort, COUNT(*) AS customers FROM members GROUP BY cohort
), seen AS (
  SELECT members.cohort, days.month - members.cohort AS age, COUNT(DISTINCT days.customer_id) AS active
  FROM days JOIN members ON members.customer_id = days.customer_id GROUP BY members.cohort, days.month - members.cohort
)
SELECT seen.cohort, seen.age, sizes.customers, seen.active FROM seen JOIN sizes ON sizes.cohort = seen.cohort
"""  # noqa: E501


def retention_statement(engine: str) -> Statement:
    """Cohort (months since the year 0), age in months, customers of the cohort, those who bought in that month.

    Binds `until`, the last day that is fully known. A month in which nobody of a cohort bought has no row; a purchase
    counts whatever was given back of it.
    """
    query = sqlglot.parse_one(CELLS, read="duckdb")
    assert isinstance(query, exp.Query), "we wrote a SELECT"
    return spell(query, engine=engine, types={"until": "DATE"})
