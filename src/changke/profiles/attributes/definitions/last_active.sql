-- last_active: the last of her active days.                                    grain: customer
-- inputs: came
-- last_active_on   date   last day on which she was active
SELECT customer_id, MAX(business_date) AS last_active_on FROM came WHERE active = 1 GROUP BY customer_id
