"""Count what happened in the stores in a month, over the mirror: what their health is read from."""

import datetime as dt

import duckdb

from changke.profiles.lifecycle.models import StoreMonth
from changke.profiles.value.profit import SUMMED, moved

DEEDS = """
SELECT customer_id, store_id, business_date FROM live.purchases
UNION ALL SELECT customer_id, store_id, business_date FROM live.uses
"""

COUNTED = f"""
WITH deeds AS ({DEEDS}), first_day AS (
  SELECT customer_id, MIN(business_date) AS day FROM deeds GROUP BY customer_id
), month AS (
  SELECT DISTINCT customer_id, store_id, business_date FROM deeds WHERE business_date BETWEEN $first AND $day
), bought AS (
  SELECT month.store_id, COUNT(DISTINCT month.customer_id) AS buyers, COUNT(*) AS deal_days,
         COUNT(DISTINCT CASE WHEN first_day.day >= $first THEN month.customer_id END) AS newcomers
  FROM month JOIN first_day ON first_day.customer_id = month.customer_id GROUP BY month.store_id
), lately AS (
  SELECT DISTINCT customer_id FROM deeds WHERE business_date > $quarter AND business_date <= $day
), kept AS (
  SELECT earlier.store_id, COUNT(*) AS base, COUNT(lately.customer_id) AS came_back
  FROM (SELECT DISTINCT customer_id, store_id FROM deeds
        WHERE business_date > $half AND business_date <= $quarter) AS earlier
  LEFT JOIN lately ON lately.customer_id = earlier.customer_id GROUP BY earlier.store_id
), money AS (
  SELECT store_id, {SUMMED} FROM ({moved()}) AS moved
  WHERE business_date BETWEEN $first AND $day GROUP BY store_id
)
SELECT store_id, COALESCE(buyers, 0), COALESCE(newcomers, 0), COALESCE(deal_days, 0), COALESCE(base, 0),
       COALESCE(came_back, 0), margin_minor, COALESCE(revenue_minor, 0), COALESCE(known_minor, 0)
FROM bought FULL JOIN kept USING (store_id) FULL JOIN money USING (store_id)
WHERE store_id IS NOT NULL
"""  # noqa: S608 -- our own words

QUARTER = dt.timedelta(days=90)


def bounds(day: dt.date) -> dict[str, dt.date]:
    """What is bound to `COUNTED` for the month up to a day."""
    return {"first": day.replace(day=1), "day": day, "quarter": day - QUARTER, "half": day - 2 * QUARTER}


def count_stores(duck: duckdb.DuckDBPyConnection, day: dt.date, *, is_whole: bool) -> list[StoreMonth]:
    """Rows of the month up to the day, of every store in which anything happened; not saved."""
    names = ("buyers", "newcomers", "deal_days", "base", "came_back", "margin_minor", "revenue_minor", "known_minor")
    return [
        StoreMonth(day=day, store_id=store, is_whole=is_whole, **dict(zip(names, told, strict=True)))
        for store, *told in duck.execute(COUNTED, bounds(day)).fetchall()
    ]
