-- own_pace: the gaps that are her own, before the chain's weigh in.            grain: customer
-- inputs: customers, gaps, openings
-- own_gaps         int=0   gaps between her active days
-- own_gap_days     days    her own median gap
WITH placed AS (
  SELECT customer_id, gap_days,
         ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY gap_days, business_date) - 1 AS place,
         COUNT(*) OVER (PARTITION BY customer_id) AS n
  FROM gaps
), own AS (
  SELECT customer_id, MAX(n) AS n, MAX(gap_days) FILTER (WHERE place = (n - 1) // 2) AS gap_days FROM placed GROUP BY customer_id
), opened AS (
  -- An old system's summary of n purchases is n - 1 gaps of the average length.
  SELECT customer_id, CAST(SUM(purchases - 1) AS BIGINT) AS n
  FROM openings WHERE last_on > first_on AND last_on <= :today AND purchases > 1
  GROUP BY customer_id
)
SELECT customers.customer_id, COALESCE(own.n, 0) + COALESCE(opened.n, 0) AS own_gaps, own.gap_days AS own_gap_days
FROM customers
LEFT JOIN own ON own.customer_id = customers.customer_id
LEFT JOIN opened ON opened.customer_id = customers.customer_id
