-- needs: which category she needs most and which services she prefers, by her days of a year.   grain: customer
-- inputs: receipts, lines
-- need_group_id           int   need group: the category of most of her days with a purchase or use in the last 365, cards left out
-- need_days_bp            int   days of her need group among all her days with a category in the last 365, in basis points
-- service_preference_id   int   service preference: the category of services of most of her days in the last 365
WITH had AS (
  SELECT lines.customer_id, lines.category_id, lines.business_date, lines.amount_minor,
         CASE WHEN lines.item_kind = 'service' THEN 1 ELSE 0 END AS is_service
  FROM lines
  JOIN receipts ON receipts.customer_id = lines.customer_id AND receipts.receipt_id = lines.receipt_id
  WHERE receipts.stays = 1 AND lines.category_id IS NOT NULL AND lines.item_kind IN ('service', 'product', 'other')
    AND DATE_DIFF('day', lines.business_date, :today) < 365
), counted AS (
  SELECT customer_id, category_id, COUNT(DISTINCT business_date) AS days, SUM(amount_minor) AS amount, MAX(business_date) AS newest_on,
         COUNT(DISTINCT CASE WHEN is_service = 1 THEN business_date END) AS service_days,
         COALESCE(SUM(CASE WHEN is_service = 1 THEN amount_minor END), 0) AS service_amount,
         MAX(CASE WHEN is_service = 1 THEN business_date END) AS newest_service_on
  FROM had GROUP BY customer_id, category_id
), ranked AS (
  SELECT customer_id, category_id, days, service_days,
         ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY days DESC, amount DESC, newest_on DESC, category_id) AS place,
         ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY service_days DESC, service_amount DESC, newest_service_on DESC, category_id) AS service_place
  FROM counted
), altogether AS (
  SELECT customer_id, COUNT(DISTINCT business_date) AS days FROM had GROUP BY customer_id
)
SELECT ranked.customer_id,
       MAX(CASE WHEN ranked.place = 1 THEN ranked.category_id END) AS need_group_id,
       MAX(CASE WHEN ranked.place = 1 THEN ranked.days END) * 10000 // MAX(altogether.days) AS need_days_bp,
       MAX(CASE WHEN ranked.service_place = 1 AND ranked.service_days > 0 THEN ranked.category_id END) AS service_preference_id
FROM ranked
JOIN altogether ON altogether.customer_id = ranked.customer_id
GROUP BY ranked.customer_id
