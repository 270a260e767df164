-- gaps: the days between one active day and the next.                          grain: customer day
-- inputs: came
-- gap_days   days   days since the active day before
WITH pairs AS (
  SELECT customer_id, business_date,
         DATE_DIFF('day', LAG(business_date) OVER (PARTITION BY customer_id ORDER BY business_date), business_date) AS gap_days,
         LAG(opens) OVER (PARTITION BY customer_id ORDER BY business_date) AS opened_before
  FROM came WHERE active = 1
)
SELECT customer_id, business_date, gap_days FROM pairs WHERE gap_days IS NOT NULL AND opened_before = 0
