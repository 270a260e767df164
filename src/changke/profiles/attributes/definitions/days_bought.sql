-- days_bought: the days on which a purchase or card use stayed, and what stayed of the money; days of a refund alone.   grain: customer day
-- inputs: receipts, returns
-- came   int     1 when a purchase or card use of the day stayed
-- paid   money   cash in, less what was given back of it; a refund that names no receipt lowers its own day
WITH given_back AS (
  SELECT customer_id, receipt_id, SUM(cash_minor) AS cash FROM returns WHERE receipt_id IS NOT NULL GROUP BY customer_id, receipt_id
), moved AS (
  SELECT receipts.customer_id, receipts.business_date, receipts.stays AS came, receipts.cash - COALESCE(given_back.cash, 0) AS amount
  FROM receipts
  LEFT JOIN given_back ON given_back.customer_id = receipts.customer_id AND given_back.receipt_id = receipts.receipt_id
  UNION ALL
  SELECT customer_id, business_date, 0 AS came, -cash_minor AS amount FROM returns WHERE receipt_id IS NULL
)
SELECT customer_id, business_date, MAX(came) AS came, SUM(amount) AS paid FROM moved GROUP BY customer_id, business_date
