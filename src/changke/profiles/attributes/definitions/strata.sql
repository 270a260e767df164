-- strata: which kind of member she is, by how often she comes and buys.   grain: customer
-- inputs: customers, silence, visit_counts, purchase_counts, card_uses, rfm, groups
-- settings: lost_after_days int
-- member_stratum      text   member stratum: sleeping, super VIP, golden, VIP, casual, regular
-- is_high_net_worth   bool   in the highest fifth by net spend in a year
SELECT customers.customer_id,
       CASE WHEN purchase_counts.purchases = 0 AND card_uses.uses = 0 THEN NULL
            WHEN silence.silent_days >= :lost_after_days THEN 'sleeping'
            WHEN visit_counts.visit_days_365d >= 36 AND purchase_counts.purchases_365d >= 10 THEN 'super_vip'
            WHEN groups.value_group = 'high' AND groups.loyalty_group = 'loyal' THEN 'golden'
            WHEN groups.value_group = 'high' THEN 'vip'
            WHEN visit_counts.visit_days_365d < 12 AND purchase_counts.purchases_365d <= 1 THEN 'casual'
            ELSE 'regular' END AS member_stratum,
       rfm.money_score = 5 AS is_high_net_worth
FROM customers
LEFT JOIN silence ON silence.customer_id = customers.customer_id
LEFT JOIN visit_counts ON visit_counts.customer_id = customers.customer_id
LEFT JOIN purchase_counts ON purchase_counts.customer_id = customers.customer_id
LEFT JOIN card_uses ON card_uses.customer_id = customers.customer_id
LEFT JOIN rfm ON rfm.customer_id = customers.customer_id
LEFT JOIN groups ON groups.customer_id = customers.customer_id
