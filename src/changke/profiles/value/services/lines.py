"""How long customers stay with a product line, by the year they were born in: counted by night from lines of receipts.

A product line is a category of the catalogue; buying it and using it up by a card both count. docs/algorithms/value.md
"""

import datetime as dt
from itertools import groupby
from operator import itemgetter

from django.db import connection, transaction

from changke.profiles.value.models import LineAge

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
SELECT held.category_id, card.home_store_id, card.birth_year, COUNT(*),
       COUNT(*) FILTER (WHERE held.last_on > %(year_ago)s), COUNT(*) FILTER (WHERE held.before),
       COUNT(*) FILTER (WHERE held.before AND held.last_on > %(year_ago)s),
       SUM(held.last_on - held.first_on)::bigint, SUM(held.spent)::bigint
FROM held JOIN live.customers AS card ON card.customer_id = held.customer_id
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def count_lines(*, today: dt.date) -> int:
    """Count every product line as of a day; how many rows there are. One category is written at a time."""
    ago = {"year_ago": today - dt.timedelta(days=YEAR), "two_ago": today - dt.timedelta(days=2 * YEAR)}
    with connection.cursor() as sql:
        sql.execute(COUNTED, {"today": today, **ago})
        rows = sql.fetchall()
    known = set()
    for category, some in groupby(rows, key=itemgetter(0)):
        known.add(category)
        with transaction.atomic():
            LineAge.objects.filter(category=category).delete()
            LineAge.objects.bulk_create(
                (
                    LineAge(
                        category_id=category, store_id=store, birth_year=born, as_of=today, customers=customers,
                        bought=bought, before=before, stayed=stayed, held_days=days, spent_minor=spent,
                    )
                    for _, store, born, customers, bought, before, stayed, days, spent in some
                ),
                batch_size=2_000,
            )  # fmt: skip
    LineAge.objects.exclude(category__in=known).delete()
    return len(rows)
