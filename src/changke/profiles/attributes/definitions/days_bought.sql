-- days_bought: the days on which a purchase or card use stayed, and what stayed of the money; days of a refund alone.   grain: customer day
-- inputs: receipts, returns
-- came   int     1 when a purchase or card use of the day stayed
-- paid   money   cash in, less what was given back of it; a refund that names no receipt lowers its own day
-- rendered   money   what was bought and used up, less what was given back
-- profit     money   of the part of it of which a profit is known: by the item's cost or the margin of its category
-- profit_of  money   that part
WITH given_back AS (
  SELECT customer_id, receipt_id, SUM(cash_minor) AS cash, SUM(consumed_minor) AS consumed, SUM(margin_minor) AS margin
  FROM returns WHERE receipt_id IS NOT NULL GROUP BY customer_id, receipt_id
), moved AS (
  SELECT receipts.customer_id, receipts.business_date, receipts.stays AS came, receipts.cash - COALESCE(given_back.cash, 0) AS amount,
         receipts.consumed - COALESCE(given_back.consumed, 0) AS consumed, receipts.margin - COALESCE(given_back.margin, 0) AS margin
  FROM receipts
  LEFT JOIN given_back ON given_back.customer_id = receipts.customer_id AND given_back.receipt_id = receipts.receipt_id
  UNION ALL
  SELECT customer_id, business_date, 0 AS came, -cash_minor AS amount, -consumed_minor AS consumed, -margin_minor AS margin
  FROM returns WHERE receipt_id IS NULL
)
SELECT customer_id, business_date, MAX(came) AS came, SUM(amount) AS paid, SUM(consumed) AS rendered,
       COALESCE(SUM(margin), 0) AS profit, SUM(CASE WHEN margin IS NOT NULL THEN consumed ELSE 0 END) AS profit_of
FROM moved GROUP BY customer_id, business_date
