-- risk: what the chain loses with her, until the outlook knows better.         grain: customer
-- inputs: receipts, returns, last_active
-- value_at_risk   money=0   net spend in the 365 days before her last activity
WITH moved AS (
  SELECT customer_id, business_date, cash AS amount FROM receipts
  UNION ALL
  -- What is given back belongs to the day on which it was bought: it may come after her last activity.
  SELECT returns.customer_id, COALESCE(receipts.business_date, returns.business_date) AS business_date, -returns.cash_minor AS amount
  FROM returns
  LEFT JOIN receipts ON receipts.customer_id = returns.customer_id AND receipts.receipt_id = returns.receipt_id
)
SELECT moved.customer_id, GREATEST(SUM(moved.amount), 0) AS value_at_risk
FROM moved LEFT JOIN last_active ON last_active.customer_id = moved.customer_id
WHERE DATE_DIFF('day', moved.business_date, last_active.last_active_on) BETWEEN 0 AND 364
GROUP BY moved.customer_id
