-- came: the days on which she was in a store. A receipt that stayed implies a visit that day in its store.   grain: customer day
-- inputs: receipts, visits, openings
-- settings: activity_visit int, activity_purchase int, activity_use int
-- stores   int   stores she was in that day: so many visits
-- active   int   1 when the day counts as active under the chain's setting
-- opens    int   1 on the first day of an old system's summary: the way to its last day is no gap
WITH stops AS (
  SELECT customer_id, business_date, store_id, is_purchase, 1 - is_purchase AS is_use, 0 AS opens FROM receipts WHERE stays = 1
  UNION ALL
  SELECT customer_id, business_date, store_id, 0 AS is_purchase, 0 AS is_use, 0 AS opens FROM visits
  UNION ALL
  SELECT customer_id, first_on AS business_date, COALESCE(store_id, 0) AS store_id, 1 AS is_purchase, 0 AS is_use,
         CASE WHEN last_on > first_on AND last_on <= :today THEN 1 ELSE 0 END AS opens
  FROM openings
  UNION ALL
  SELECT customer_id, last_on AS business_date, COALESCE(store_id, 0) AS store_id, 1 AS is_purchase, 0 AS is_use, 0 AS opens
  FROM openings WHERE last_on > first_on AND last_on <= :today
), per_store AS (
  SELECT customer_id, business_date, store_id, MAX(is_purchase) AS is_purchase, MAX(is_use) AS is_use, MAX(opens) AS opens
  FROM stops GROUP BY customer_id, business_date, store_id
)
SELECT customer_id, business_date, COUNT(*) AS stores,
       GREATEST(:activity_visit, :activity_purchase * MAX(is_purchase), :activity_use * MAX(is_use)) AS active,
       MAX(opens) AS opens
FROM per_store GROUP BY customer_id, business_date
