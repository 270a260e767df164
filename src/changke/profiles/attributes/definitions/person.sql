-- person: who she is, as known today, and where she belongs.                   grain: customer
-- inputs: customers
-- home_store_id       int    home store
-- adviser_id          int    adviser
-- birth_decade        int    the decade she was born in, 1990 for 90后
-- birth_half_decade   int    the half decade she was born in, 1995 for 95后
SELECT customer_id, home_store_id, adviser_id, birth_year // 10 * 10 AS birth_decade, birth_year // 5 * 5 AS birth_half_decade
FROM customers
