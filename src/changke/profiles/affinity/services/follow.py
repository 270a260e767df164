"""Follow the purchases: what the active rules say of new ones becomes a tag within seconds; withdrawn ones take it
back."""

import datetime as dt
from dataclasses import dataclass

from django.db import connection, transaction

from changke.facts.customers.services.ruled_tags import put_on, take_back
from changke.foundation.cursors import close_window, open_window
from changke.profiles.affinity.models import TagRule
from changke.profiles.affinity.queries import spoken_of_between, spoken_of_since

CURSOR = "affinity.tags"
CHUNK = 5_000
"""Customers whose past one transaction looks through."""

MANY = 50_000
"""New receipts beyond which (a load) they are looked through by customer instead of all at once."""

WITHDRAWN = """
SELECT 'receipt:' || id FROM facts_receipt
WHERE txid >= %s::text::xid8 AND txid < %s::text::xid8 AND withdrawn_by_id IS NOT NULL
"""
FRESH = """
SELECT count(*) FROM (
  SELECT FROM facts_receipt WHERE txid >= %s::text::xid8 AND txid < %s::text::xid8 LIMIT %s) AS fresh
"""


def follow(now: dt.datetime) -> int:
    """Tags put on, confirmed or taken back since the last call. Safe to repeat. Without a rule it only keeps up."""
    window = open_window(CURSOR)
    if window.since > window.below:  # a restored database counts its transactions anew
        close_window(CURSOR, type(window)(0, window.below))
        return 0
    if window.is_empty:
        return 0
    done = 0
    if TagRule.objects.exists():
        span = [window.since, window.below]
        with connection.cursor() as sql:
            sql.execute(WITHDRAWN, span)
            gone = [row[0] for row in sql.fetchall()]
            sql.execute(FRESH, [*span, MANY + 1])
            many = sql.fetchone()[0] > MANY
        done += take_back(gone) if gone else 0
        if many:
            done += sum(apply_to_past(rule, now=now) for rule in TagRule.objects.filter(is_active=True))
        else:
            done += put_on(spoken_of_since(window.since, window.below), now=now)
    with transaction.atomic():
        close_window(CURSOR, window)
    return done


def apply_to_past(rule: TagRule, *, now: dt.datetime) -> int:
    """What the rule says of every purchase there is; how many tags. In short transactions, safe to repeat."""
    done = after = 0
    for until in _ends():
        done += put_on(spoken_of_between(rule.pk, after, until), now=now)
        after = until
    return done


@dataclass(frozen=True)
class Preview:
    """Whom a rule would speak of, and a few of them."""

    customers: int
    some: tuple[int, ...]


def preview(rule: TagRule, *, some: int = 5) -> Preview:
    """Dry run over history: how many would wear the tag. Nothing is written."""
    found: list[int] = []
    count = after = 0
    for until in _ends():
        ids = [one.customer_id for one in spoken_of_between(rule.pk, after, until)]
        found += ids[: some - len(found)]
        count, after = count + len(ids), until
    return Preview(count, tuple(found))


def _ends() -> list[int]:
    """Ids that end the chunks of customers."""
    with connection.cursor() as sql:
        sql.execute("SELECT coalesce(max(id), 0) FROM facts_customer")
        last = sql.fetchone()[0]
    return [*range(CHUNK, last, CHUNK), last] if last else []
