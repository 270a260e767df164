-- card_uses: how often she used up what she had paid before.                   grain: customer
-- inputs: receipts
-- uses          int=0   card uses
-- uses_90d      int=0   card uses in the last 90 days
-- uses_365d     int=0   card uses in the last 365 days
-- last_use_on   date    day of the last card use
WITH aged AS (
  SELECT customer_id, business_date, DATE_DIFF('day', business_date, :today) AS age FROM receipts WHERE is_purchase = 0 AND stays = 1
)
SELECT customer_id, COUNT(*) AS uses, COUNT(*) FILTER (WHERE age < 90) AS uses_90d, COUNT(*) FILTER (WHERE age < 365) AS uses_365d,
       MAX(business_date) AS last_use_on
FROM aged GROUP BY customer_id
