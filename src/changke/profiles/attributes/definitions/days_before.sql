-- days_before: what an old system's summary says of her: the day is its first.   grain: customer day
-- inputs: openings
-- until_on   date    its last day; its first while the last is still to come
-- times      int     purchases from the one day to the other
-- paid       money   cash of all of them
SELECT customer_id, first_on AS business_date, MAX(CASE WHEN last_on <= :today THEN last_on ELSE first_on END) AS until_on,
       SUM(CASE WHEN last_on <= :today THEN purchases ELSE 1 END) AS times,
       SUM(CASE WHEN last_on <= :today THEN cash_minor ELSE 0 END) AS paid
FROM openings GROUP BY customer_id, first_on
