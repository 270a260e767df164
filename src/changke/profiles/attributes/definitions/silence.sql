-- silence: how long ago she was active.                                        grain: customer
-- inputs: came
-- last_active_on   date   last day on which she was active
-- silent_days      days   days since she was last active
WITH seen AS (SELECT customer_id, MAX(business_date) AS last_on FROM came WHERE active = 1 GROUP BY customer_id)
SELECT customer_id, last_on AS last_active_on, DATE_DIFF('day', last_on, :today) AS silent_days FROM seen
