-- money: cash that came in from her, and cash given back to her.               grain: customer
-- inputs: customers, receipts, returns, openings
-- spend            money=0   cash in
-- spend_30d        money=0   cash in of the last 30 days
-- spend_60d        money=0   cash in of the last 60 days
-- spend_90d        money=0   cash in of the last 90 days
-- spend_180d       money=0   cash in of the last 180 days
-- spend_365d       money=0   cash in of the last 365 days
-- refunds          money=0   cash given back
-- refunds_30d      money=0   cash given back in the last 30 days
-- refunds_60d      money=0   cash given back in the last 60 days
-- refunds_90d      money=0   cash given back in the last 90 days
-- refunds_180d     money=0   cash given back in the last 180 days
-- refunds_365d     money=0   cash given back in the last 365 days
-- net_spend        money=0   cash in less cash given back
-- net_spend_30d    money=0   cash in less cash given back, last 30 days
-- net_spend_60d    money=0   cash in less cash given back, last 60 days
-- net_spend_90d    money=0   cash in less cash given back, last 90 days
-- net_spend_180d   money=0   cash in less cash given back, last 180 days
-- net_spend_365d   money=0   cash in less cash given back, last 365 days
WITH came_in AS (
  SELECT customer_id, cash, DATE_DIFF('day', business_date, :today) AS age FROM receipts
), paid AS (
  SELECT customer_id, SUM(cash) AS cash,
         SUM(cash) FILTER (WHERE age < 30) AS cash_30, SUM(cash) FILTER (WHERE age < 60) AS cash_60, SUM(cash) FILTER (WHERE age < 90) AS cash_90,
         SUM(cash) FILTER (WHERE age < 180) AS cash_180, SUM(cash) FILTER (WHERE age < 365) AS cash_365
  FROM came_in GROUP BY customer_id
), went_out AS (
  SELECT customer_id, cash_minor AS cash, DATE_DIFF('day', business_date, :today) AS age FROM returns
), back AS (
  SELECT customer_id, SUM(cash) AS cash,
         SUM(cash) FILTER (WHERE age < 30) AS cash_30, SUM(cash) FILTER (WHERE age < 60) AS cash_60, SUM(cash) FILTER (WHERE age < 90) AS cash_90,
         SUM(cash) FILTER (WHERE age < 180) AS cash_180, SUM(cash) FILTER (WHERE age < 365) AS cash_365
  FROM went_out GROUP BY customer_id
), opened AS (
  SELECT customer_id, SUM(CASE WHEN last_on <= :today THEN cash_minor ELSE 0 END) AS cash FROM openings GROUP BY customer_id
)
SELECT customers.customer_id,
       COALESCE(paid.cash, 0) + COALESCE(opened.cash, 0) AS spend,
       paid.cash_30 AS spend_30d, paid.cash_60 AS spend_60d, paid.cash_90 AS spend_90d, paid.cash_180 AS spend_180d, paid.cash_365 AS spend_365d,
       back.cash AS refunds,
       back.cash_30 AS refunds_30d, back.cash_60 AS refunds_60d, back.cash_90 AS refunds_90d, back.cash_180 AS refunds_180d, back.cash_365 AS refunds_365d,
       COALESCE(paid.cash, 0) + COALESCE(opened.cash, 0) - COALESCE(back.cash, 0) AS net_spend,
       COALESCE(paid.cash_30, 0) - COALESCE(back.cash_30, 0) AS net_spend_30d,
       COALESCE(paid.cash_60, 0) - COALESCE(back.cash_60, 0) AS net_spend_60d,
       COALESCE(paid.cash_90, 0) - COALESCE(back.cash_90, 0) AS net_spend_90d,
       COALESCE(paid.cash_180, 0) - COALESCE(back.cash_180, 0) AS net_spend_180d,
       COALESCE(paid.cash_365, 0) - COALESCE(back.cash_365, 0) AS net_spend_365d
FROM customers
LEFT JOIN paid ON paid.customer_id = customers.customer_id
LEFT JOIN back ON back.customer_id = customers.customer_id
LEFT JOIN opened ON opened.customer_id = customers.customer_id
