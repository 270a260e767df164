-- receipts: every purchase and card use, and whether it stayed.                grain: customer receipt
-- inputs: purchases, uses, returns
-- business_date   date    the day in the store
-- store_id        int     the store
-- is_purchase     int     1 a purchase, 0 a card use
-- stays           int     0 when all of it was given back: then it is as if it had not been
-- cash            money   money received
-- consumed        money   value of what was rendered
-- margin          money   profit, where known
-- margin_basis    text    how the profit is known: cost, percent, mixed, unknown
-- items           int     pieces
WITH given_back AS (
  SELECT customer_id, receipt_id, SUM(cash_minor) AS cash, SUM(consumed_minor) AS consumed
  FROM returns WHERE receipt_id IS NOT NULL
  GROUP BY customer_id, receipt_id
), taken AS (
  SELECT customer_id, receipt_id, business_date, store_id, 1 AS is_purchase, cash_minor, consumed_minor, margin_minor, margin_basis, items
  FROM purchases
  UNION ALL
  SELECT customer_id, receipt_id, business_date, store_id, 0 AS is_purchase, cash_minor, consumed_minor, margin_minor, margin_basis, items
  FROM uses
)
SELECT taken.customer_id, taken.receipt_id, taken.business_date, taken.store_id, taken.is_purchase,
       CASE WHEN given_back.receipt_id IS NULL THEN 1
            WHEN taken.cash_minor > 0 AND given_back.cash < taken.cash_minor THEN 1
            WHEN taken.cash_minor <= 0 AND given_back.consumed < taken.consumed_minor THEN 1
            ELSE 0 END AS stays,
       taken.cash_minor AS cash, taken.consumed_minor AS consumed, taken.margin_minor AS margin, taken.margin_basis, taken.items
FROM taken
LEFT JOIN given_back ON given_back.customer_id = taken.customer_id AND given_back.receipt_id = taken.receipt_id
