"""Most customers of the demo who came through a friend say which one: someone of the same store who came before them.
Few people bring many, so every twelfth customer of a store is one whom the others name."""

import datetime as dt

from django.db import connection

from changke.facts.referrals.models import How

FRIEND = "朋友介绍"
EVERY = 12

BROUGHT = """
WITH people AS (
  SELECT id, home_store_id, known_on, source, adviser_id,
    row_number() OVER (PARTITION BY home_store_id ORDER BY known_on, id) AS place
  FROM facts_customer
), known AS (
  SELECT id, home_store_id, (place - 1) / %(every)s AS nth FROM people WHERE place %% %(every)s = 1
)
INSERT INTO facts_referral
  (customer_id, referrer_id, how, staff_id, happened_at, business_date, recorded_at, source_key)
SELECT friend.id, known.id, %(how)s, friend.adviser_id, friend.known_on + interval '4 hours', friend.known_on, %(now)s,
  'demo:brought:' || friend.id
FROM people AS friend JOIN known
  ON known.home_store_id = friend.home_store_id
  AND known.nth = friend.id * 7919 %% ((friend.place + %(every)s - 2) / %(every)s)
WHERE friend.source = %(friend)s AND friend.place > 1 AND friend.id %% 5 <> 0
"""


def bring_friends(*, now: dt.datetime) -> int:
    """Write down who brought whom; how many."""
    with connection.cursor() as sql:
        sql.execute(BROUGHT, {"every": EVERY, "how": How.BY_HAND, "now": now, "friend": FRIEND})
        return int(sql.rowcount)
