-- purchase_counts: how often she bought. A purchase given back whole is none; an old system's summary counts.   grain: customer
-- inputs: customers, receipts, openings
-- first_purchase_on    date    day of the first purchase
-- last_purchase_on     date    day of the last purchase
-- purchases            int=0   purchases
-- purchases_30d        int=0   purchases in the last 30 days
-- purchases_60d        int=0   purchases in the last 60 days
-- purchases_90d        int=0   purchases in the last 90 days
-- purchases_180d       int=0   purchases in the last 180 days
-- purchases_365d       int=0   purchases in the last 365 days
-- returned_purchases   int=0   purchases given back whole
-- average_ticket       money   average purchase
-- average_ticket_30d   money   average purchase in the last 30 days
-- average_ticket_60d   money   average purchase in the last 60 days
-- average_ticket_90d   money   average purchase in the last 90 days
-- average_ticket_180d  money   average purchase in the last 180 days
-- average_ticket_365d  money   average purchase in the last 365 days
WITH aged AS (
  SELECT customer_id, business_date, stays, cash, DATE_DIFF('day', business_date, :today) AS age
  FROM receipts WHERE is_purchase = 1
), bought AS (
  SELECT customer_id, COUNT(*) FILTER (WHERE stays = 0) AS returned,
         MIN(business_date) FILTER (WHERE stays = 1) AS first_on, MAX(business_date) FILTER (WHERE stays = 1) AS last_on,
         COUNT(*) FILTER (WHERE stays = 1) AS n, SUM(cash) FILTER (WHERE stays = 1) AS cash,
         COUNT(*) FILTER (WHERE stays = 1 AND age < 30) AS n_30, SUM(cash) FILTER (WHERE stays = 1 AND age < 30) AS cash_30,
         COUNT(*) FILTER (WHERE stays = 1 AND age < 60) AS n_60, SUM(cash) FILTER (WHERE stays = 1 AND age < 60) AS cash_60,
         COUNT(*) FILTER (WHERE stays = 1 AND age < 90) AS n_90, SUM(cash) FILTER (WHERE stays = 1 AND age < 90) AS cash_90,
         COUNT(*) FILTER (WHERE stays = 1 AND age < 180) AS n_180, SUM(cash) FILTER (WHERE stays = 1 AND age < 180) AS cash_180,
         COUNT(*) FILTER (WHERE stays = 1 AND age < 365) AS n_365, SUM(cash) FILTER (WHERE stays = 1 AND age < 365) AS cash_365
  FROM aged GROUP BY customer_id
), opened AS (
  SELECT customer_id, MIN(first_on) AS first_on, MAX(CASE WHEN last_on <= :today THEN last_on ELSE first_on END) AS last_on,
         SUM(CASE WHEN last_on <= :today THEN purchases ELSE 1 END) AS n,
         SUM(CASE WHEN last_on <= :today THEN cash_minor ELSE 0 END) AS cash
  FROM openings GROUP BY customer_id
)
SELECT customers.customer_id,
       LEAST(bought.first_on, opened.first_on) AS first_purchase_on, GREATEST(bought.last_on, opened.last_on) AS last_purchase_on,
       COALESCE(bought.n, 0) + COALESCE(opened.n, 0) AS purchases,
       bought.n_30 AS purchases_30d, bought.n_60 AS purchases_60d, bought.n_90 AS purchases_90d,
       bought.n_180 AS purchases_180d, bought.n_365 AS purchases_365d, bought.returned AS returned_purchases,
       CAST(COALESCE(bought.cash, 0) + COALESCE(opened.cash, 0) AS BIGINT) // NULLIF(COALESCE(bought.n, 0) + CAST(COALESCE(opened.n, 0) AS BIGINT), 0) AS average_ticket,
       CAST(bought.cash_30 AS BIGINT) // NULLIF(bought.n_30, 0) AS average_ticket_30d,
       CAST(bought.cash_60 AS BIGINT) // NULLIF(bought.n_60, 0) AS average_ticket_60d,
       CAST(bought.cash_90 AS BIGINT) // NULLIF(bought.n_90, 0) AS average_ticket_90d,
       CAST(bought.cash_180 AS BIGINT) // NULLIF(bought.n_180, 0) AS average_ticket_180d,
       CAST(bought.cash_365 AS BIGINT) // NULLIF(bought.n_365, 0) AS average_ticket_365d
FROM customers
LEFT JOIN bought ON bought.customer_id = customers.customer_id
LEFT JOIN opened ON opened.customer_id = customers.customer_id
