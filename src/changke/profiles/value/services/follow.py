"""Follow the facts: whoever has a new, changed or withdrawn one is predicted anew by the stored fit."""

import datetime as dt

from django.db import connection

from changke.foundation.cursors import close_window, open_window
from changke.profiles.value.queries import current_fit
from changke.profiles.value.services.marks import CURSOR
from changke.profiles.value.services.predict import predict_customers

SOME = 500
MANY = 20_000
"""Customers beyond which a load is under way: the run over everybody that it asks for takes them."""

# The facts of a record that is read as another are the person's.
TOUCHED = """
SELECT DISTINCT CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END FROM (
  SELECT customer_id FROM facts_receipt WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8
  UNION ALL
  SELECT customer_id FROM facts_opening WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8
  UNION ALL
  SELECT id FROM facts_customer WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8
) AS found JOIN facts_customer AS record ON record.id = found.customer_id LIMIT %(most)s
"""
MERGED = """
SELECT id FROM facts_customer
WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8 AND merged_into_id IS NOT NULL LIMIT %(most)s
"""


def follow(now: dt.datetime, *, many: int = MANY) -> int:
    """Predict everybody with a fact since the last call; how many. Safe to repeat."""
    window = open_window(CURSOR)
    if window.since > window.below:  # a restored database counts its transactions anew
        close_window(CURSOR, type(window)(0, window.below))
        return 0
    if window.is_empty:
        return 0
    ids: list[int] = []
    if current_fit() is not None:
        bounds: dict[str, str | int] = {"since": str(window.since), "below": str(window.below), "most": many + 1}
        with connection.cursor() as sql:
            for statement in (TOUCHED, MERGED):
                sql.execute(statement, bounds)
                ids += [pk for (pk,) in sql.fetchall()]
    done = 0
    if len(ids) <= many:
        for begin in range(0, len(ids), SOME):
            done += predict_customers(ids[begin : begin + SOME], now=now)
    close_window(CURSOR, window)
    return done
