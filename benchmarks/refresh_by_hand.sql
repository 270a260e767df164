-- The same columns as all definitions together, written by hand for DuckDB by somebody who knows them all: the receipts are
-- read once for all sums, and what the population needs is taken from the customers' own sums. What `benchmarks.refresh`
-- measures the composed statements against. Lines with {n} stand for each of the windows 30, 60, 90, 180, 365.
CREATE OR REPLACE TEMP TABLE hand_receipt AS
WITH given_back AS (
  SELECT customer_id, receipt_id, SUM(cash_minor) AS cash, SUM(consumed_minor) AS consumed
  FROM live.returns WHERE receipt_id IS NOT NULL AND business_date <= $today GROUP BY ALL
)
SELECT r.customer_id, r.id AS receipt_id, r.business_date, date_diff('day', r.business_date, $today) AS age, r.store_id, r.kind,
       r.cash_minor AS cash, r.consumed_minor AS consumed, r.items, r.margin_minor AS margin,
       CASE WHEN r.margin_minor IS NOT NULL AND r.kind <> 'return' THEN r.margin_basis END AS basis,
       CASE WHEN r.kind = 'return' THEN FALSE WHEN b.receipt_id IS NULL THEN TRUE
            WHEN r.cash_minor > 0 THEN b.cash < r.cash_minor ELSE b.consumed < r.consumed_minor END AS stays
FROM facts_receipt AS r LEFT JOIN given_back AS b ON b.customer_id = r.customer_id AND b.receipt_id = r.id
WHERE r.withdrawn_by_id IS NULL AND r.customer_id IS NOT NULL AND r.business_date <= $today;

CREATE OR REPLACE TEMP TABLE hand_sum AS
SELECT customer_id,
       MIN(business_date) FILTER (WHERE kind = 'sale' AND stays) AS first_on, MAX(business_date) FILTER (WHERE kind = 'sale' AND stays) AS last_on,
       COUNT(*) FILTER (WHERE kind = 'sale' AND stays) AS n, SUM(cash) FILTER (WHERE kind = 'sale' AND stays) AS kept,
       COUNT(*) FILTER (WHERE kind = 'sale' AND NOT stays) AS returned,
       COUNT(*) FILTER (WHERE kind = 'use' AND stays) AS uses, MAX(business_date) FILTER (WHERE kind = 'use' AND stays) AS last_use_on,
       COUNT(*) FILTER (WHERE kind = 'use' AND stays AND age < 90) AS uses_90d, COUNT(*) FILTER (WHERE kind = 'use' AND stays AND age < 365) AS uses_365d,
       SUM(cash) FILTER (WHERE kind <> 'return') AS paid, SUM(cash) FILTER (WHERE kind = 'return') AS back,
       SUM(CASE WHEN kind = 'return' THEN -consumed ELSE consumed END) AS consumed, SUM(CASE WHEN kind = 'return' THEN -items ELSE items END) AS items,
       SUM(CASE WHEN kind = 'return' THEN -margin ELSE margin END) AS margin,
       SUM(CASE WHEN kind = 'return' THEN -margin ELSE margin END) FILTER (WHERE age < 365) AS margin_365d, MIN(basis) AS low, MAX(basis) AS high,
       COUNT(*) FILTER (WHERE kind = 'sale' AND stays AND age < {n}) AS n_{n}, SUM(cash) FILTER (WHERE kind = 'sale' AND stays AND age < {n}) AS kept_{n},
       SUM(cash) FILTER (WHERE kind <> 'return' AND age < {n}) AS paid_{n}, SUM(cash) FILTER (WHERE kind = 'return' AND age < {n}) AS back_{n},
       SUM(CASE WHEN kind = 'return' THEN -consumed ELSE consumed END) FILTER (WHERE age < {n}) AS consumed_{n},
       SUM(CASE WHEN kind = 'return' THEN -items ELSE items END) FILTER (WHERE age < {n}) AS items_{n},
FROM hand_receipt GROUP BY customer_id;

CREATE OR REPLACE TEMP TABLE hand_opening AS
SELECT customer_id, MIN(first_on) AS first_on, MAX(CASE WHEN last_on <= $today THEN last_on ELSE first_on END) AS last_on,
       SUM(CASE WHEN last_on <= $today THEN purchases ELSE 1 END) AS n, SUM(CASE WHEN last_on <= $today THEN cash_minor ELSE 0 END) AS cash,
       SUM(CASE WHEN last_on <= $today THEN GREATEST(purchases - CASE WHEN last_on > first_on THEN 2 ELSE 1 END, 0) END) AS between_days,
       SUM(CASE WHEN last_on > first_on AND last_on <= $today AND purchases > 1 THEN purchases - 1 END) AS gaps,
       SUM(CASE WHEN last_on > first_on AND last_on <= $today AND purchases > 1 THEN date_diff('day', first_on, last_on) END) AS gap_days
FROM live.openings WHERE first_on <= $today GROUP BY customer_id;

CREATE OR REPLACE TEMP TABLE hand_day AS
WITH stops AS (
  SELECT customer_id, business_date, store_id, kind = 'sale' AS sale, kind = 'use' AS used, FALSE AS opens FROM hand_receipt WHERE stays
  UNION ALL SELECT customer_id, business_date, store_id, FALSE, FALSE, FALSE FROM live.visits WHERE business_date <= $today
  UNION ALL SELECT customer_id, first_on, COALESCE(store_id, 0), TRUE, FALSE, last_on > first_on AND last_on <= $today FROM live.openings WHERE first_on <= $today
  UNION ALL SELECT customer_id, last_on, COALESCE(store_id, 0), TRUE, FALSE, FALSE FROM live.openings WHERE last_on > first_on AND last_on <= $today
), stores AS (SELECT customer_id, business_date, bool_or(sale) AS sale, bool_or(used) AS used, bool_or(opens) AS opens FROM stops GROUP BY customer_id, business_date, store_id)
SELECT customer_id, business_date, COUNT(*) AS stores, bool_or(opens) AS opens,
       $activity_visit = 1 OR ($activity_purchase = 1 AND bool_or(sale)) OR ($activity_use = 1 AND bool_or(used)) AS active
FROM stores GROUP BY customer_id, business_date;

CREATE OR REPLACE TEMP TABLE hand_came AS
SELECT customer_id, MIN(business_date) AS first_on, MAX(business_date) AS last_on, MAX(business_date) FILTER (WHERE active) AS active_on, COUNT(*) AS days,
       COUNT(*) FILTER (WHERE business_date > $today - 365) AS days_365, SUM(stores) AS n,
       SUM(stores) FILTER (WHERE business_date > $today - {n}) AS n_{n},
FROM hand_day GROUP BY customer_id;

CREATE OR REPLACE TEMP TABLE hand_gap AS
SELECT * FROM (
  SELECT customer_id, business_date, date_diff('day', LAG(business_date) OVER w, business_date) AS gap, LAG(opens) OVER w AS opened
  FROM hand_day WHERE active WINDOW w AS (PARTITION BY customer_id ORDER BY business_date)
) WHERE gap IS NOT NULL AND NOT opened;

CREATE OR REPLACE TEMP TABLE hand_own AS
SELECT customer_id, MAX(n) AS n, MAX(gap) FILTER (WHERE place = (n - 1) // 2) AS gap FROM (
  SELECT customer_id, gap, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY gap) - 1 AS place, COUNT(*) OVER (PARTITION BY customer_id) AS n FROM hand_gap
) GROUP BY customer_id;

CREATE OR REPLACE TEMP TABLE hand_chain AS
SELECT COALESCE(MIN(gap) FILTER (WHERE reached > (n - 1) // 2), $first_gap_days) AS gap FROM (
  SELECT gap, SUM(k) OVER (ORDER BY gap) AS reached, SUM(k) OVER () AS n FROM (SELECT gap, COUNT(*) AS k FROM hand_gap GROUP BY gap)
);

CREATE OR REPLACE TEMP TABLE hand_risk AS
SELECT r.customer_id, SUM(CASE WHEN r.kind = 'return' THEN -r.cash ELSE r.cash END) AS value
FROM (
  SELECT customer_id, business_date, kind, cash FROM hand_receipt WHERE kind <> 'return' AND cash > 0
  UNION ALL
  SELECT b.customer_id, COALESCE(o.business_date, b.business_date), 'return', b.cash_minor
  FROM live.returns AS b LEFT JOIN hand_receipt AS o ON o.receipt_id = b.receipt_id WHERE b.business_date <= $today
) AS r JOIN hand_came AS c ON c.customer_id = r.customer_id
WHERE r.business_date <= c.active_on AND r.business_date > c.active_on - 365
GROUP BY r.customer_id;

CREATE OR REPLACE TEMP TABLE hand_referral AS
WITH brought AS (
  SELECT arg_max(said.referrer_id, said.id) AS customer_id, said.customer_id AS brought_id
  FROM facts_referral AS said SEMI JOIN live.customers AS met ON met.customer_id = said.customer_id
  WHERE said.withdrawn_by_id IS NULL AND said.business_date <= $today AND said.referrer_id <> said.customer_id GROUP BY said.customer_id
)
SELECT b.customer_id, COUNT(*) AS referred_customers,
       SUM(COALESCE(s.paid, 0) - COALESCE(s.back, 0) + COALESCE(o.cash, 0))::BIGINT AS referral_value,
       SUM(COALESCE(s.paid_365, 0) - COALESCE(s.back_365, 0))::BIGINT AS referral_value_365d
FROM brought AS b LEFT JOIN hand_sum AS s ON s.customer_id = b.brought_id LEFT JOIN hand_opening AS o ON o.customer_id = b.brought_id
GROUP BY b.customer_id;

CREATE OR REPLACE TEMP TABLE hand_origin AS
SELECT DISTINCT said.customer_id FROM facts_referral AS said SEMI JOIN live.customers AS met ON met.customer_id = said.customer_id
WHERE said.withdrawn_by_id IS NULL AND said.business_date <= $today AND said.referrer_id <> said.customer_id;

CREATE OR REPLACE TEMP TABLE hand_need AS
WITH had AS (
  SELECT r.customer_id, s.category_id, s.kind = 'service' AS service, r.business_date AS day, l.amount_minor AS amount
  FROM hand_receipt AS r JOIN facts_line AS l ON l.receipt_id = r.receipt_id JOIN facts_sold AS s ON s.id = l.item_id
  WHERE r.stays AND r.age < 365 AND s.category_id IS NOT NULL AND s.kind NOT IN ('card', 'topup')
), one AS (
  SELECT customer_id, category_id, COUNT(DISTINCT day) AS days, (COUNT(DISTINCT day), SUM(amount), MAX(day), -category_id) AS weight,
         (COUNT(DISTINCT day) FILTER (WHERE service), SUM(amount) FILTER (WHERE service), MAX(day) FILTER (WHERE service), -category_id) AS of_services,
         bool_or(service) AS service
  FROM had GROUP BY customer_id, category_id
)
SELECT customer_id, arg_max(category_id, weight) AS need_group_id, MAX(days) * 10000 // any_value(had.n) AS need_days_bp,
       arg_max(category_id, of_services) FILTER (WHERE service) AS service_preference_id
FROM one JOIN (SELECT customer_id, COUNT(DISTINCT day) AS n FROM had GROUP BY customer_id) AS had USING (customer_id) GROUP BY customer_id;

CREATE OR REPLACE TEMP TABLE hand_base AS
SELECT c.customer_id, c.home_store_id, c.adviser_id, c.birth_year, s.* EXCLUDE (customer_id, n, first_on, last_on),
       LEAST(s.first_on, o.first_on) AS first_purchase_on, GREATEST(s.last_on, o.last_on) AS last_purchase_on,
       COALESCE(s.n, 0) + COALESCE(o.n, 0) AS purchases, COALESCE(s.paid, 0) + COALESCE(o.cash, 0) AS spend, COALESCE(s.kept, 0) + COALESCE(o.cash, 0) AS kept_all,
       v.first_on AS first_visit_on, v.last_on AS last_visit_on, v.active_on, date_diff('day', v.active_on, $today) AS silent_days,
       COALESCE(v.n, 0) + COALESCE(o.between_days, 0) AS visits, COALESCE(v.days, 0) + COALESCE(o.between_days, 0) AS visit_days, COALESCE(v.days_365, 0) AS visit_days_365d,
       COALESCE(v.n_{n}, 0) AS visits_{n}d,
       COALESCE(own.n, 0) + COALESCE(o.gaps, 0) AS own_gaps, own.gap AS own_gap_days,
       GREATEST((COALESCE(own.n * own.gap, 0) + COALESCE(o.gap_days, 0) + $gap_weight * chain.gap) // (COALESCE(own.n, 0) + COALESCE(o.gaps, 0) + $gap_weight), 1)::BIGINT AS usual_gap_days,
       GREATEST(COALESCE(k.value, 0), 0) AS value_at_risk
FROM live.customers AS c CROSS JOIN hand_chain AS chain
LEFT JOIN hand_sum AS s ON s.customer_id = c.customer_id LEFT JOIN hand_opening AS o ON o.customer_id = c.customer_id
LEFT JOIN hand_came AS v ON v.customer_id = c.customer_id LEFT JOIN hand_own AS own ON own.customer_id = c.customer_id
LEFT JOIN hand_risk AS k ON k.customer_id = c.customer_id
WHERE c.known_on <= $today;

CREATE OR REPLACE TEMP TABLE hand_bound AS
WITH measured AS (
  SELECT 'r' AS measure, -silent_days AS amount, COUNT(*) AS n FROM hand_base WHERE purchases > 0 AND silent_days IS NOT NULL GROUP BY ALL
  UNION ALL SELECT 'f', n_365, COUNT(*) FROM hand_base WHERE purchases > 0 AND n_365 > 0 GROUP BY ALL
  UNION ALL SELECT 'm', COALESCE(paid_365, 0) - COALESCE(back_365, 0) AS spent, COUNT(*) FROM hand_base WHERE purchases > 0 AND spent > 0 GROUP BY ALL
), placed AS (
  SELECT measure, amount, 1 + (2 * SUM(n) OVER (PARTITION BY measure ORDER BY amount) - n) * 5 // (2 * SUM(n) OVER (PARTITION BY measure)) AS fifth FROM measured
)
SELECT measure, MIN(amount) FILTER (WHERE fifth >= 2) AS b2, MIN(amount) FILTER (WHERE fifth >= 3) AS b3, MIN(amount) FILTER (WHERE fifth >= 4) AS b4, MIN(amount) FILTER (WHERE fifth >= 5) AS b5
FROM placed GROUP BY measure;

CREATE OR REPLACE TEMP TABLE hand_profile AS
WITH scored AS (
  SELECT b.*,
    CASE WHEN purchases = 0 OR silent_days IS NULL THEN NULL WHEN -silent_days >= r.b5 THEN 5 WHEN -silent_days >= r.b4 THEN 4 WHEN -silent_days >= r.b3 THEN 3 WHEN -silent_days >= r.b2 THEN 2 ELSE 1 END AS recency_score,
    CASE WHEN purchases = 0 THEN NULL WHEN COALESCE(n_365, 0) = 0 THEN 1 WHEN n_365 >= f.b5 THEN 5 WHEN n_365 >= f.b4 THEN 4 WHEN n_365 >= f.b3 THEN 3 WHEN n_365 >= f.b2 THEN 2 ELSE 1 END AS frequency_score,
    COALESCE(paid_365, 0) - COALESCE(back_365, 0) AS spent,
    CASE WHEN purchases = 0 THEN NULL WHEN spent <= 0 THEN 1 WHEN spent >= m.b5 THEN 5 WHEN spent >= m.b4 THEN 4 WHEN spent >= m.b3 THEN 3 WHEN spent >= m.b2 THEN 2 ELSE 1 END AS money_score
  FROM hand_base AS b LEFT JOIN hand_bound AS r ON r.measure = 'r' LEFT JOIN hand_bound AS f ON f.measure = 'f' LEFT JOIN hand_bound AS m ON m.measure = 'm'
), grouped AS (
  SELECT *, CASE WHEN frequency_score + money_score >= 8 THEN 'high' WHEN frequency_score + money_score >= 5 THEN 'middle' WHEN frequency_score IS NOT NULL THEN 'low' END AS value_group,
    visit_days_365d >= $mature_visit_days AND value_group IS DISTINCT FROM 'low' AS is_mature, purchases >= 1 OR COALESCE(uses, 0) >= 1 AS is_customer
  FROM scored
)
SELECT grouped.customer_id, home_store_id, adviser_id, birth_year // 10 * 10 AS birth_decade, birth_year // 5 * 5 AS birth_half_decade,
  first_purchase_on, last_purchase_on, purchases::BIGINT AS purchases, COALESCE(n_{n}, 0) AS purchases_{n}d, COALESCE(returned, 0) AS returned_purchases,
  (kept_all::BIGINT // NULLIF(purchases, 0)::BIGINT)::BIGINT AS average_ticket, (kept_{n}::BIGINT // NULLIF(n_{n}, 0))::BIGINT AS average_ticket_{n}d,
  spend::BIGINT AS spend, COALESCE(paid_{n}, 0)::BIGINT AS spend_{n}d, COALESCE(back, 0)::BIGINT AS refunds, COALESCE(back_{n}, 0)::BIGINT AS refunds_{n}d,
  (spend - COALESCE(back, 0))::BIGINT AS net_spend, (COALESCE(paid_{n}, 0) - COALESCE(back_{n}, 0))::BIGINT AS net_spend_{n}d,
  COALESCE(consumed, 0)::BIGINT AS consumption, COALESCE(consumed_{n}, 0)::BIGINT AS consumption_{n}d, COALESCE(items, 0)::BIGINT AS items, COALESCE(items_{n}, 0)::BIGINT AS items_{n}d,
  margin::BIGINT AS margin, margin_365d::BIGINT AS margin_365d, CASE WHEN low = high THEN low WHEN low IS NOT NULL THEN 'mixed' END AS margin_basis,
  COALESCE(uses, 0) AS uses, COALESCE(uses_90d, 0) AS uses_90d, COALESCE(uses_365d, 0) AS uses_365d, last_use_on,
  first_visit_on, last_visit_on, visits::BIGINT AS visits, visits_{n}d::BIGINT AS visits_{n}d, visit_days::BIGINT AS visit_days, visit_days_365d,
  active_on AS last_active_on, silent_days, own_gaps::BIGINT AS own_gaps, own_gap_days, usual_gap_days,
  silent_days * 100 // usual_gap_days AS silence_percent_of_gap, active_on + usual_gap_days::INTEGER AS expected_next_visit_on,
  CASE WHEN silent_days IS NOT NULL THEN GREATEST(silent_days - usual_gap_days, 0) END AS overdue_days,
  recency_score, frequency_score, money_score, value_group,
  CASE WHEN NOT is_customer THEN NULL WHEN silent_days >= $lost_after_days THEN 'lost' WHEN silent_days < $silent_after_days AND visit_days_365d >= $mature_visit_days THEN 'loyal' ELSE 'potential' END AS loyalty_group,
  CASE WHEN first_purchase_on IS NULL THEN NULL WHEN purchases <= 1 AND date_diff('day', first_purchase_on, $today) < 365 THEN 'new' ELSE 'old' END AS new_or_old,
  CASE WHEN NOT is_customer THEN NULL WHEN silent_days >= $lost_after_days THEN 'sleeping' WHEN visit_days_365d >= 36 AND COALESCE(n_365, 0) >= 10 THEN 'super_vip' WHEN value_group = 'high' AND loyalty_group = 'loyal' THEN 'golden'
    WHEN value_group = 'high' THEN 'vip' WHEN visit_days_365d < 12 AND COALESCE(n_365, 0) <= 1 THEN 'casual' ELSE 'regular' END AS member_stratum, money_score = 5 AS is_high_net_worth,
  value_at_risk::BIGINT AS value_at_risk, need_group_id, need_days_bp, service_preference_id,
  origin.customer_id IS NOT NULL AS was_brought, COALESCE(referred_customers, 0) AS referred_customers, COALESCE(referral_value, 0) AS referral_value, COALESCE(referral_value_365d, 0) AS referral_value_365d,
  CASE WHEN silent_days >= $lost_after_days THEN 'lost' WHEN silent_days >= $silent_after_days THEN 'silent' WHEN is_mature THEN 'mature' WHEN visit_days >= 2 THEN 'growth' ELSE 'intro' END AS stage_m4,
  CASE WHEN silent_days >= $lost_after_days THEN 'lost' WHEN uses >= 1 OR (purchases >= 1 AND visit_days >= 2) THEN 'use' WHEN purchases >= 1 THEN 'purchase' WHEN visit_days >= 2 THEN 'decision' WHEN visit_days >= 1 THEN 'interest' ELSE 'awareness' END AS stage_m1,
  CASE WHEN is_customer AND silent_days >= $silent_after_days THEN 'win_back' WHEN is_customer AND is_mature THEN 'develop' WHEN purchases >= 2 OR (uses >= 1 AND visit_days >= 2) THEN 'retain' WHEN is_customer THEN 'convert' WHEN visit_days >= 1 THEN 'acquire' ELSE 'attract' END AS stage_m2
FROM grouped LEFT JOIN hand_referral USING (customer_id) LEFT JOIN hand_need USING (customer_id) LEFT JOIN hand_origin AS origin ON origin.customer_id = grouped.customer_id;
