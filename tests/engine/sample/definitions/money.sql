-- money: what came in, and what she used of it.                                grain: customer
-- inputs: purchases
-- cash               money=0   cash received from her, cards sold included
-- cash_365d          money=0   cash received in the last 365 days
-- consumption        money=0   value of what she used, sessions off a card included
-- consumption_365d   money=0   value of what she used in the last 365 days
-- largest_receipt    money     her largest receipt in cash
SELECT customer_id,
       SUM(cash_minor) AS cash, SUM(cash_minor) FILTER (WHERE DATE_DIFF('day', business_date, :today) < 365) AS cash_365d,
       SUM(consumed_minor) AS consumption, SUM(consumed_minor) FILTER (WHERE DATE_DIFF('day', business_date, :today) < 365) AS consumption_365d,
       MAX(cash_minor) AS largest_receipt
FROM purchases
GROUP BY customer_id
