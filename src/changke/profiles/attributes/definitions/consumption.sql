-- consumption: what was rendered to her, less what was given back; the sale of a card is none, its use is.   grain: customer
-- inputs: customers, receipts, returns
-- consumption        money=0   services and products rendered
-- consumption_30d    money=0   services and products rendered in the last 30 days
-- consumption_60d    money=0   services and products rendered in the last 60 days
-- consumption_90d    money=0   services and products rendered in the last 90 days
-- consumption_180d   money=0   services and products rendered in the last 180 days
-- consumption_365d   money=0   services and products rendered in the last 365 days
-- items              int=0     items
-- items_30d          int=0     items in the last 30 days
-- items_60d          int=0     items in the last 60 days
-- items_90d          int=0     items in the last 90 days
-- items_180d         int=0     items in the last 180 days
-- items_365d         int=0     items in the last 365 days
-- margin             money     profit, where it is known
-- margin_365d        money     profit in the last 365 days, where it is known
-- margin_basis       text      what the profit rests on: cost, percent or mixed
WITH moved AS (
  SELECT customer_id, consumed, items, margin, DATE_DIFF('day', business_date, :today) AS age,
         CASE WHEN margin IS NOT NULL THEN margin_basis END AS basis
  FROM receipts
  UNION ALL
  SELECT customer_id, -consumed_minor AS consumed, -items AS items, -margin_minor AS margin, DATE_DIFF('day', business_date, :today) AS age,
         CAST(NULL AS TEXT) AS basis
  FROM returns
), summed AS (
  SELECT customer_id, SUM(consumed) AS consumed, SUM(items) AS items, SUM(margin) AS margin,
         SUM(consumed) FILTER (WHERE age < 30) AS consumed_30, SUM(items) FILTER (WHERE age < 30) AS items_30,
         SUM(consumed) FILTER (WHERE age < 60) AS consumed_60, SUM(items) FILTER (WHERE age < 60) AS items_60,
         SUM(consumed) FILTER (WHERE age < 90) AS consumed_90, SUM(items) FILTER (WHERE age < 90) AS items_90,
         SUM(consumed) FILTER (WHERE age < 180) AS consumed_180, SUM(items) FILTER (WHERE age < 180) AS items_180,
         SUM(consumed) FILTER (WHERE age < 365) AS consumed_365, SUM(items) FILTER (WHERE age < 365) AS items_365,
         SUM(margin) FILTER (WHERE age < 365) AS margin_365, MIN(basis) AS lowest_basis, MAX(basis) AS highest_basis
  FROM moved GROUP BY customer_id
)
SELECT customers.customer_id, summed.consumed AS consumption,
       summed.consumed_30 AS consumption_30d, summed.consumed_60 AS consumption_60d, summed.consumed_90 AS consumption_90d,
       summed.consumed_180 AS consumption_180d, summed.consumed_365 AS consumption_365d,
       summed.items, summed.items_30 AS items_30d, summed.items_60 AS items_60d, summed.items_90 AS items_90d,
       summed.items_180 AS items_180d, summed.items_365 AS items_365d,
       summed.margin, summed.margin_365 AS margin_365d,
       CASE WHEN summed.lowest_basis = summed.highest_basis THEN summed.lowest_basis
            WHEN summed.lowest_basis IS NOT NULL THEN 'mixed' END AS margin_basis
FROM customers LEFT JOIN summed ON summed.customer_id = customers.customer_id
