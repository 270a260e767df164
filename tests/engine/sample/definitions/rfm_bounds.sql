-- rfm_bounds: where the fifths of all buyers begin; equal values fall into the same fifth.   grain: population
-- inputs: silence, purchase_counts, money
-- measure     text   recency, frequency or money
-- second      int    the smallest value of the second fifth
-- third       int    of the third
-- fourth      int    of the fourth
-- fifth       int    of the fifth, the best
WITH measured AS (
  SELECT silence.customer_id, 'recency' AS measure, -silence.silent_days AS amount
  FROM silence LEFT JOIN purchase_counts ON purchase_counts.customer_id = silence.customer_id WHERE purchase_counts.purchases > 0
  UNION ALL
  SELECT customer_id, 'frequency' AS measure, purchases_365d AS amount FROM purchase_counts WHERE purchases > 0
  UNION ALL
  SELECT money.customer_id, 'money' AS measure, money.cash_365d AS amount
  FROM money LEFT JOIN purchase_counts ON purchase_counts.customer_id = money.customer_id WHERE purchase_counts.purchases > 0
), placed AS (
  SELECT measure, amount,
         ROW_NUMBER() OVER (PARTITION BY measure ORDER BY amount, customer_id) - 1 AS place,
         COUNT(*) OVER (PARTITION BY measure) AS n
  FROM measured
)
SELECT measure, MAX(amount) FILTER (WHERE place = 1 * n // 5) AS second, MAX(amount) FILTER (WHERE place = 2 * n // 5) AS third,
       MAX(amount) FILTER (WHERE place = 3 * n // 5) AS fourth, MAX(amount) FILTER (WHERE place = 4 * n // 5) AS fifth
FROM placed GROUP BY measure
