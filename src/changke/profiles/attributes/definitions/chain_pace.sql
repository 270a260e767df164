-- chain_pace: how soon customers of the chain usually come again.              grain: population
-- inputs: gaps
-- chain_gap_days   days   the chain's median gap, unknown before anybody came twice
WITH placed AS (
  SELECT gap_days, ROW_NUMBER() OVER (ORDER BY gap_days, customer_id, business_date) - 1 AS place, COUNT(*) OVER () AS n FROM gaps
)
SELECT MAX(gap_days) FILTER (WHERE place = (n - 1) // 2) AS chain_gap_days FROM placed
