-- Every attribute of the sample in one statement, written by hand: what the composed one has to equal.
WITH seen_purchases AS (SELECT * FROM live.purchases WHERE business_date <= :today),
bought AS (
  SELECT customer_id, COUNT(*) AS purchases, COUNT(*) FILTER (WHERE DATE_DIFF('day', business_date, :today) < 90) AS purchases_90d,
         COUNT(*) FILTER (WHERE DATE_DIFF('day', business_date, :today) < 365) AS purchases_365d,
         MIN(business_date) AS first_purchase, MAX(business_date) AS last_purchase,
         SUM(cash_minor) AS cash, SUM(cash_minor) FILTER (WHERE DATE_DIFF('day', business_date, :today) < 365) AS cash_365d,
         SUM(consumed_minor) AS consumption, SUM(consumed_minor) FILTER (WHERE DATE_DIFF('day', business_date, :today) < 365) AS consumption_365d,
         MAX(cash_minor) AS largest_receipt
  FROM seen_purchases GROUP BY customer_id
), days AS (SELECT DISTINCT customer_id, business_date FROM seen_purchases
), gaps AS (
  SELECT customer_id, business_date, DATE_DIFF('day', LAG(business_date) OVER (PARTITION BY customer_id ORDER BY business_date), business_date) AS gap FROM days
), placed AS (
  SELECT customer_id, gap, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY gap, business_date) - 1 AS place, COUNT(*) OVER (PARTITION BY customer_id) AS n
  FROM gaps WHERE gap IS NOT NULL
), own AS (
  SELECT customer_id, MAX(n) AS own_gaps, MAX(gap) FILTER (WHERE place = (n - 1) // 2) AS own_gap_days FROM placed GROUP BY customer_id
), came AS (SELECT customer_id, MAX(business_date) AS last_visit FROM live.visits WHERE business_date <= :today  GROUP BY customer_id
), latest AS (
  SELECT customer_id, tier, business_date, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY business_date DESC, membership_id DESC) AS place
  FROM live.memberships WHERE business_date <= :today 
), base AS (
  SELECT c.customer_id, COALESCE(cash, 0) AS cash, COALESCE(cash_365d, 0) AS cash_365d, COALESCE(consumption, 0) AS consumption,
         COALESCE(consumption_365d, 0) AS consumption_365d, largest_receipt, COALESCE(purchases, 0) AS purchases, COALESCE(purchases_90d, 0) AS purchases_90d,
         COALESCE(purchases_365d, 0) AS purchases_365d, first_purchase, last_purchase, tier, latest.business_date AS tier_since,
         COALESCE(own_gaps, 0) AS own_gaps, own_gap_days,
         (COALESCE(own_gaps * own_gap_days, 0) + :gap_weight * chain_gap_days) // (COALESCE(own_gaps, 0) + :gap_weight) AS usual_gap_days,
         GREATEST(last_purchase, last_visit) AS last_seen, DATE_DIFF('day', GREATEST(last_purchase, last_visit), :today) AS silent_days
  FROM live.customers AS c CROSS JOIN population_chain_pace AS chain_pace
  LEFT JOIN bought ON bought.customer_id = c.customer_id LEFT JOIN own ON own.customer_id = c.customer_id
  LEFT JOIN came ON came.customer_id = c.customer_id LEFT JOIN latest ON latest.customer_id = c.customer_id AND latest.place = 1
  WHERE c.known_on <= :today 
)
SELECT base.customer_id, CAST(cash AS BIGINT) AS cash, CAST(cash_365d AS BIGINT) AS cash_365d, CAST(consumption AS BIGINT) AS consumption,
       CAST(consumption_365d AS BIGINT) AS consumption_365d, CAST(largest_receipt AS BIGINT) AS largest_receipt, purchases, purchases_90d, purchases_365d,
       first_purchase, last_purchase, tier, tier_since, own_gaps, own_gap_days, usual_gap_days, last_seen, silent_days,
       CASE WHEN silent_days IS NOT NULL THEN GREATEST(silent_days - usual_gap_days, 0) END AS overdue_days,
       CASE WHEN silent_days IS NULL THEN 'prospect' WHEN silent_days >= :lost_after_days THEN 'lost' WHEN silent_days >= :silent_after_days THEN 'silent'
            WHEN purchases_365d >= 6 THEN 'mature' WHEN purchases >= 2 THEN 'growth' ELSE 'intro' END AS stage,
       CASE WHEN purchases = 0 THEN NULL WHEN -silent_days >= r.fifth THEN 5 WHEN -silent_days >= r.fourth THEN 4 WHEN -silent_days >= r.third THEN 3
            WHEN -silent_days >= r.second THEN 2 ELSE 1 END AS recency_score,
       CASE WHEN purchases = 0 THEN NULL WHEN purchases_365d >= f.fifth THEN 5 WHEN purchases_365d >= f.fourth THEN 4 WHEN purchases_365d >= f.third THEN 3
            WHEN purchases_365d >= f.second THEN 2 ELSE 1 END AS frequency_score,
       CASE WHEN purchases = 0 THEN NULL WHEN cash_365d >= m.fifth THEN 5 WHEN cash_365d >= m.fourth THEN 4 WHEN cash_365d >= m.third THEN 3
            WHEN cash_365d >= m.second THEN 2 ELSE 1 END AS money_score
FROM base LEFT JOIN population_rfm_bounds AS r ON r.measure = 'recency' LEFT JOIN population_rfm_bounds AS f ON f.measure = 'frequency' LEFT JOIN population_rfm_bounds AS m ON m.measure = 'money'
