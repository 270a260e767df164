-- rfm_bounds: the smallest value of each fifth. Equal values stand together, where the middle of them falls.   grain: population
-- inputs: silence, purchase_counts, money
-- recency_2     int   of the second fifth of all buyers, days of silence taken negative
-- recency_3     int   of the third
-- recency_4     int   of the fourth
-- recency_5     int   of the fifth, the best
-- frequency_2   int   of the second fifth of the year's buyers, purchases in 365 days
-- frequency_3   int   of the third
-- frequency_4   int   of the fourth
-- frequency_5   int   of the fifth, the best
-- money_2       int   of the second fifth of those with net spend in the year
-- money_3       int   of the third
-- money_4       int   of the fourth
-- money_5       int   of the fifth, the best
WITH buyers AS (
  SELECT -silence.silent_days AS recency, purchase_counts.purchases_365d AS frequency, money.net_spend_365d AS spent
  FROM purchase_counts
  LEFT JOIN silence ON silence.customer_id = purchase_counts.customer_id
  LEFT JOIN money ON money.customer_id = purchase_counts.customer_id
  WHERE purchase_counts.purchases > 0
), measured AS (
  SELECT 'r' AS measure, recency AS amount, COUNT(*) AS n FROM buyers WHERE recency IS NOT NULL GROUP BY recency
  UNION ALL
  SELECT 'f' AS measure, frequency AS amount, COUNT(*) AS n FROM buyers WHERE frequency > 0 GROUP BY frequency
  UNION ALL
  SELECT 'm' AS measure, spent AS amount, COUNT(*) AS n FROM buyers WHERE spent > 0 GROUP BY spent
), placed AS (
  SELECT measure, amount, n,
         CAST(SUM(n) OVER (PARTITION BY measure ORDER BY amount) AS BIGINT) AS reached,
         CAST(SUM(n) OVER (PARTITION BY measure) AS BIGINT) AS everyone
  FROM measured
), fifths AS (
  SELECT measure, amount, 1 + (2 * reached - n) * 5 // (2 * everyone) AS fifth FROM placed
)
SELECT MIN(amount) FILTER (WHERE measure = 'r' AND fifth >= 2) AS recency_2, MIN(amount) FILTER (WHERE measure = 'r' AND fifth >= 3) AS recency_3,
       MIN(amount) FILTER (WHERE measure = 'r' AND fifth >= 4) AS recency_4, MIN(amount) FILTER (WHERE measure = 'r' AND fifth >= 5) AS recency_5,
       MIN(amount) FILTER (WHERE measure = 'f' AND fifth >= 2) AS frequency_2, MIN(amount) FILTER (WHERE measure = 'f' AND fifth >= 3) AS frequency_3,
       MIN(amount) FILTER (WHERE measure = 'f' AND fifth >= 4) AS frequency_4, MIN(amount) FILTER (WHERE measure = 'f' AND fifth >= 5) AS frequency_5,
       MIN(amount) FILTER (WHERE measure = 'm' AND fifth >= 2) AS money_2, MIN(amount) FILTER (WHERE measure = 'm' AND fifth >= 3) AS money_3,
       MIN(amount) FILTER (WHERE measure = 'm' AND fifth >= 4) AS money_4, MIN(amount) FILTER (WHERE measure = 'm' AND fifth >= 5) AS money_5
FROM fifths
