-- rhythm: her own pace, learned gap by gap.                                    grain: customer
-- inputs: own_pace, openings, chain_pace
-- settings: gap_weight int, first_gap_days int
-- usual_gap_days   days    her usual gap, shrunk toward the chain's
WITH opened AS (
  SELECT customer_id, CAST(SUM(purchases - 1) AS BIGINT) AS n, CAST(SUM(DATE_DIFF('day', first_on, last_on)) AS BIGINT) AS days
  FROM openings WHERE last_on > first_on AND last_on <= :today AND purchases > 1
  GROUP BY customer_id
), weighed AS (
  -- Her median stands for each of the gaps that are not out of a summary.
  SELECT own_pace.customer_id, own_pace.own_gaps AS n,
         COALESCE((own_pace.own_gaps - COALESCE(opened.n, 0)) * own_pace.own_gap_days, 0) + COALESCE(opened.days, 0) AS days,
         COALESCE(chain_pace.chain_gap_days, :first_gap_days) AS chain_gap_days
  FROM own_pace CROSS JOIN chain_pace
  LEFT JOIN opened ON opened.customer_id = own_pace.customer_id
)
SELECT customer_id, CASE WHEN n + :gap_weight = 0 THEN chain_gap_days
                         ELSE GREATEST((days + :gap_weight * chain_gap_days) // NULLIF(n + :gap_weight, 0), 1) END AS usual_gap_days
FROM weighed
