-- rfm: in which fifth she stands, 5 the best; unknown before the first purchase.   grain: customer
-- inputs: silence, purchase_counts, money, rfm_bounds
-- recency_score     int   fifth by how recently she was active
-- frequency_score   int   fifth by how often she bought in a year; 1 when not at all
-- money_score       int   fifth by net spend in a year; 1 when none
SELECT purchase_counts.customer_id,
       CASE WHEN silence.silent_days IS NULL THEN NULL
            WHEN -silence.silent_days >= rfm_bounds.recency_5 THEN 5 WHEN -silence.silent_days >= rfm_bounds.recency_4 THEN 4
            WHEN -silence.silent_days >= rfm_bounds.recency_3 THEN 3 WHEN -silence.silent_days >= rfm_bounds.recency_2 THEN 2 ELSE 1 END AS recency_score,
       CASE WHEN purchase_counts.purchases_365d <= 0 THEN 1
            WHEN purchase_counts.purchases_365d >= rfm_bounds.frequency_5 THEN 5 WHEN purchase_counts.purchases_365d >= rfm_bounds.frequency_4 THEN 4
            WHEN purchase_counts.purchases_365d >= rfm_bounds.frequency_3 THEN 3 WHEN purchase_counts.purchases_365d >= rfm_bounds.frequency_2 THEN 2 ELSE 1 END AS frequency_score,
       CASE WHEN money.net_spend_365d <= 0 THEN 1
            WHEN money.net_spend_365d >= rfm_bounds.money_5 THEN 5 WHEN money.net_spend_365d >= rfm_bounds.money_4 THEN 4
            WHEN money.net_spend_365d >= rfm_bounds.money_3 THEN 3 WHEN money.net_spend_365d >= rfm_bounds.money_2 THEN 2 ELSE 1 END AS money_score
FROM purchase_counts CROSS JOIN rfm_bounds
LEFT JOIN silence ON silence.customer_id = purchase_counts.customer_id
LEFT JOIN money ON money.customer_id = purchase_counts.customer_id
WHERE purchase_counts.purchases > 0
