-- groups: her value to the chain (by frequency and amount), her loyalty, new or old.   grain: customer
-- inputs: customers, rfm, silence, purchase_counts, card_uses, visit_counts
-- settings: lost_after_days int, silent_after_days int, mature_visit_days int
-- value_group      text   value group: high, middle, low
-- loyalty_group    text   loyalty group: loyal, potential, lost
-- new_or_old       text   new before the second purchase and within a year of the first, else old
SELECT customers.customer_id,
       CASE WHEN rfm.frequency_score + rfm.money_score >= 8 THEN 'high'
            WHEN rfm.frequency_score + rfm.money_score >= 5 THEN 'middle'
            WHEN rfm.frequency_score IS NOT NULL THEN 'low' END AS value_group,
       CASE WHEN purchase_counts.purchases = 0 AND card_uses.uses = 0 THEN NULL
            WHEN silence.silent_days >= :lost_after_days THEN 'lost'
            WHEN silence.silent_days < :silent_after_days AND visit_counts.visit_days_365d >= :mature_visit_days THEN 'loyal'
            ELSE 'potential' END AS loyalty_group,
       CASE WHEN purchase_counts.first_purchase_on IS NULL THEN NULL
            WHEN purchase_counts.purchases <= 1 AND DATE_DIFF('day', purchase_counts.first_purchase_on, :today) < 365 THEN 'new'
            ELSE 'old' END AS new_or_old
FROM customers
LEFT JOIN rfm ON rfm.customer_id = customers.customer_id
LEFT JOIN silence ON silence.customer_id = customers.customer_id
LEFT JOIN purchase_counts ON purchase_counts.customer_id = customers.customer_id
LEFT JOIN card_uses ON card_uses.customer_id = customers.customer_id
LEFT JOIN visit_counts ON visit_counts.customer_id = customers.customer_id
