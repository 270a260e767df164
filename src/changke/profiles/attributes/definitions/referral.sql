-- referral: whom she brought, and what they spent. One level; never added to her own.   grain: customer
-- inputs: referrals, referred_spend
-- referred_customers    int=0     customers whom she brought
-- referral_value        money=0   cash in less cash given back, of those whom she brought
-- referral_value_365d   money=0   cash in less cash given back, of those whom she brought, last 365 days
WITH brought AS (
  SELECT customer_id, COUNT(*) AS people FROM referrals GROUP BY customer_id
), aged AS (
  SELECT customer_id, cash_minor AS cash, is_dated, DATE_DIFF('day', business_date, :today) AS age
  FROM referred_spend WHERE brought_on <= :today
), spent AS (
  SELECT customer_id, SUM(cash) AS cash, SUM(cash) FILTER (WHERE age < 365 AND is_dated = 1) AS cash_365
  FROM aged GROUP BY customer_id
)
SELECT brought.customer_id, brought.people AS referred_customers, spent.cash AS referral_value, spent.cash_365 AS referral_value_365d
FROM brought LEFT JOIN spent ON spent.customer_id = brought.customer_id
