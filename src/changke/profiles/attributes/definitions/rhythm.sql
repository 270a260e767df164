-- rhythm: her own pace, learned gap by gap.                                    grain: customer
-- inputs: customers, gaps, openings, chain_pace
-- settings: gap_weight int, first_gap_days int
-- own_gaps         int=0   gaps between her active days
-- own_gap_days     days    her own median gap
-- usual_gap_days   days    her usual gap, shrunk toward the chain's
WITH placed AS (
  SELECT customer_id, gap_days,
         ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY gap_days, business_date) - 1 AS place,
         COUNT(*) OVER (PARTITION BY customer_id) AS n
  FROM gaps
), own AS (
  SELECT customer_id, MAX(n) AS n, MAX(gap_days) FILTER (WHERE place = (n - 1) // 2) AS gap_days FROM placed GROUP BY customer_id
), opened AS (
  -- An old system's summary of n purchases is n - 1 gaps of the average length.
  SELECT customer_id, CAST(SUM(purchases - 1) AS BIGINT) AS n, CAST(SUM(DATE_DIFF('day', first_on, last_on)) AS BIGINT) AS days
  FROM openings WHERE last_on > first_on AND last_on <= :today AND purchases > 1
  GROUP BY customer_id
), weighed AS (
  SELECT customers.customer_id, COALESCE(own.n, 0) + COALESCE(opened.n, 0) AS n, own.gap_days,
         COALESCE(own.n * own.gap_days, 0) + COALESCE(opened.days, 0) AS days,
         COALESCE(chain_pace.chain_gap_days, :first_gap_days) AS chain_gap_days
  FROM customers CROSS JOIN chain_pace
  LEFT JOIN own ON own.customer_id = customers.customer_id
  LEFT JOIN opened ON opened.customer_id = customers.customer_id
)
SELECT customer_id, n AS own_gaps, gap_days AS own_gap_days,
       CASE WHEN n + :gap_weight = 0 THEN chain_gap_days
            ELSE GREATEST((days + :gap_weight * chain_gap_days) // NULLIF(n + :gap_weight, 0), 1) END AS usual_gap_days
FROM weighed
