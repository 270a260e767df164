-- chain_pace: how soon customers of the chain usually come again.              grain: population
-- inputs: gaps
-- chain_gap_days   days   the chain's median gap, unknown before anybody came twice
WITH counted AS (
  SELECT gap_days, COUNT(*) AS n FROM gaps GROUP BY gap_days
), placed AS (
  SELECT gap_days, CAST(SUM(n) OVER (ORDER BY gap_days) AS BIGINT) AS reached, CAST(SUM(n) OVER () AS BIGINT) AS everyone FROM counted
)
SELECT MIN(gap_days) FILTER (WHERE reached > (everyone - 1) // 2) AS chain_gap_days FROM placed
