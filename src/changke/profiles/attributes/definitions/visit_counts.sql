-- visit_counts: how often she came. One store on one day is one visit.         grain: customer
-- inputs: customers, came, openings
-- first_visit_on    date    day of the first visit
-- last_visit_on     date    day of the last visit
-- visits            int=0   visits
-- visits_30d        int=0   visits in the last 30 days
-- visits_60d        int=0   visits in the last 60 days
-- visits_90d        int=0   visits in the last 90 days
-- visits_180d       int=0   visits in the last 180 days
-- visits_365d       int=0   visits in the last 365 days
-- visit_days        int=0   days on which she came
-- visit_days_365d   int=0   days on which she came in the last 365 days
WITH aged AS (
  SELECT customer_id, business_date, stores, DATE_DIFF('day', business_date, :today) AS age FROM came
), counted AS (
  SELECT customer_id, MIN(business_date) AS first_on, MAX(business_date) AS last_on, COUNT(*) AS days,
         COUNT(*) FILTER (WHERE age < 365) AS days_365, SUM(stores) AS n, SUM(stores) FILTER (WHERE age < 30) AS n_30,
         SUM(stores) FILTER (WHERE age < 60) AS n_60, SUM(stores) FILTER (WHERE age < 90) AS n_90,
         SUM(stores) FILTER (WHERE age < 180) AS n_180, SUM(stores) FILTER (WHERE age < 365) AS n_365
  FROM aged GROUP BY customer_id
), opened AS (
  -- The first and the last day are among the days she came; the purchases between them have no day of their own.
  SELECT customer_id, SUM(GREATEST(purchases - CASE WHEN last_on > first_on THEN 2 ELSE 1 END, 0)) AS between_days
  FROM openings WHERE last_on <= :today GROUP BY customer_id
)
SELECT customers.customer_id, counted.first_on AS first_visit_on, counted.last_on AS last_visit_on,
       COALESCE(counted.n, 0) + COALESCE(opened.between_days, 0) AS visits, counted.n_30 AS visits_30d, counted.n_60 AS visits_60d,
       counted.n_90 AS visits_90d, counted.n_180 AS visits_180d, counted.n_365 AS visits_365d,
       COALESCE(counted.days, 0) + COALESCE(opened.between_days, 0) AS visit_days, counted.days_365 AS visit_days_365d
FROM customers
LEFT JOIN counted ON counted.customer_id = customers.customer_id
LEFT JOIN opened ON opened.customer_id = customers.customer_id
