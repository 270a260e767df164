"""How long customers stay with a product line, by the year they were born in: counted by night from lines of receipts.

A product line is a category of the catalogue; buying it and using it up by a card both count. docs/algorithms/value.md
"""

import datetime as dt

from django.db import connection, transaction

YEAR = 365

COUNTED = """
WITH held AS (
  SELECT deed.customer_id, item.category_id, MIN(deed.business_date) AS first_on, MAX(deed.business_date) AS last_on,
         BOOL_OR(deed.business_date <= %(year_ago)s AND deed.business_date > %(two_ago)s) AS before,
         COALESCE(SUM(line.amount_minor) FILTER (WHERE deed.business_date > %(year_ago)s), 0) AS spent
  FROM (SELECT customer_id, business_date, receipt_id FROM live.purchases WHERE business_date <= %(today)s
        UNION ALL
        SELECT customer_id, business_date, receipt_id FROM live.uses WHERE business_date <= %(today)s) AS deed
  JOIN facts_line AS line ON line.receipt_id = deed.receipt_id
  JOIN facts_item AS item ON item.id = line.item_id
  WHERE item.category_id IS NOT NULL
  GROUP BY deed.customer_id, item.category_id
)
SELECT held.category_id, card.home_store_id AS store_id, card.birth_year, COUNT(*) AS customers,
       COUNT(*) FILTER (WHERE held.last_on > %(year_ago)s) AS bought, COUNT(*) FILTER (WHERE held.before) AS before,
       COUNT(*) FILTER (WHERE held.before AND held.last_on > %(year_ago)s) AS stayed,
       SUM(held.last_on - held.first_on)::bigint AS held_days, SUM(held.spent)::bigint AS spent_minor
FROM held JOIN live.customers AS card ON card.customer_id = held.customer_id
GROUP BY 1, 2, 3
"""
COUNT = f"CREATE TEMPORARY TABLE counted_lines ON COMMIT DROP AS {COUNTED}"

WRITE = """
INSERT INTO profiles_lineage (category_id, store_id, birth_year, as_of, customers, bought, before, stayed, held_days,
                              spent_minor)
SELECT one.category_id, one.store_id, one.birth_year, %(today)s, one.customers, one.bought, one.before, one.stayed,
       one.held_days, one.spent_minor
FROM counted_lines AS one JOIN facts_category AS category ON category.id = one.category_id
"""
"""A category may have been deleted while its lines were counted."""


def bounds(today: dt.date) -> dict[str, dt.date]:
    """What is bound to `COUNTED`."""
    return {
        "today": today, "year_ago": today - dt.timedelta(days=YEAR), "two_ago": today - dt.timedelta(days=2 * YEAR),
    }  # fmt: skip


def count_lines(*, today: dt.date) -> int:
    """Count every product line as of a day; how many rows there are. All are replaced at once: they stay in the
    database, and whoever reads meanwhile finds those of before."""
    with transaction.atomic(), connection.cursor() as sql:
        sql.execute("DROP TABLE IF EXISTS pg_temp.counted_lines")
        sql.execute(COUNT, bounds(today))
        # Whoever counts as well or deletes a category, and its rows with it, is through before or comes after.
        sql.execute("LOCK TABLE profiles_lineage IN SHARE ROW EXCLUSIVE MODE")
        sql.execute("DELETE FROM profiles_lineage")
        sql.execute(WRITE, {"today": today})
        return int(sql.rowcount)
