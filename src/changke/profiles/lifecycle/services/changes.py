"""Who has new facts: read by transaction id, so that nothing is missed and nothing is seen half."""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
import datetime as dt
from collections.abc import Iterable

from django.db import connection

from changke.foundation.cursors import Cursor, Window
from changke.profiles.attributes import own
from changke.profiles.attributes.agreed import is_consent
from changke.profiles.attributes.happened import is_event, kind_of
from changke.profiles.attributes.worn import is_worn
from changke.profiles.lifecycle.queries import models_in_use, own_asked
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.lifecycle.services.standings import FACT, LATE

CURSOR = "profiles"

BROUGHT_BY = """
  SELECT CASE WHEN named.merged_into_id IS NULL THEN named.id ELSE named.merged_into_id END AS person
  FROM facts_referral AS said
  JOIN facts_customer AS record ON record.id = said.customer_id
  JOIN facts_customer AS named ON named.id = said.referrer_id
  WHERE CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END
    IN (SELECT person FROM found)
"""
"""Whoever was ever named as the one who brought somebody of `found`: what that one spends counts there."""

# The facts of a record that is read as another are the person's. A record that was merged or parted was written, and so
# was the one it was merged into.
# Whoever gets a tag or loses one was written with it.
# Withdrawn facts carry the id of the transaction that withdrew them, so they are seen here again.
TOUCHED = (
    """
WITH facts AS (
  SELECT customer_id, business_date AS day, withdrawn_by_id IS NOT NULL AS withdrawn FROM facts_receipt
  WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8 AND customer_id IS NOT NULL
  UNION ALL
  SELECT customer_id, business_date, withdrawn_by_id IS NOT NULL FROM facts_visit
  WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8
  UNION ALL
  SELECT customer_id, last_on, withdrawn_by_id IS NOT NULL FROM facts_opening
  WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8
  UNION ALL
  SELECT customer_id, scored_on, withdrawn_by_id IS NOT NULL FROM facts_scorevalue
  WHERE %(scores)s AND txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8
  UNION ALL
  SELECT customer_id, business_date, withdrawn_by_id IS NOT NULL FROM facts_event
  WHERE kind = ANY(%(events)s) AND txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8
    AND customer_id IS NOT NULL
  UNION ALL
  SELECT customer_id, business_date, withdrawn_by_id IS NOT NULL FROM facts_consent
  WHERE %(consents)s AND txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8
  UNION ALL
  SELECT customer_id, NULL, FALSE FROM facts_fieldvalue
  WHERE %(fields)s AND txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8
  UNION ALL
  SELECT unnest(ARRAY[customer_id, referrer_id]), NULL, FALSE FROM facts_referral
  WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8
), found AS (
  SELECT CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END AS person, day, withdrawn
  FROM facts JOIN facts_customer AS record ON record.id = facts.customer_id
  UNION ALL
  SELECT id, NULL, FALSE FROM facts_customer
  WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8
), brought_by AS ("""
    + BROUGHT_BY
    + """)
SELECT person, MIN(day), bool_or(withdrawn) FROM (
  SELECT person, day, withdrawn FROM found UNION ALL SELECT person, NULL, FALSE FROM brought_by
) AS everybody GROUP BY person ORDER BY person LIMIT %(limit)s
"""
)


def read_from() -> int:
    """The transaction id up to which facts have been followed."""
    position = Cursor.objects.filter(name=CURSOR).first()
    return position.read_below if position else 0


def touched(window: Window, *, late_before: dt.date, limit: int = 2**62) -> dict[int, str]:
    """Customer -> why, of everybody with a new, changed or withdrawn fact in the window.

    A fact is late when its business date lies before `late_before`, the day of the profiles it meets.
    """
    bounds: dict[str, str | int | list[str]] = {"since": str(window.since), "below": str(window.below), "limit": limit}
    bounds |= own_that_counts()
    with connection.cursor() as sql:
        sql.execute(TOUCHED, bounds)
        return {
            customer: LATE if withdrawn or (day and day < late_before) else FACT
            for customer, day, withdrawn in sql.fetchall()
        }


def own_that_counts(models: Iterable[LifecycleModel] | None = None) -> dict[str, bool | list[str]]:
    """Whether what a score says, what stands in an own field, a tag, a consent may move somebody to another stage; and
    which events. By the models in use unless given."""
    names = own_asked(models_in_use() if models is None else models)
    named = [own.asked(name) for name in names]
    return {
        "scores": any(name.startswith(own.SCORED) for name in named),
        "fields": any(name.startswith(own.PREFIX) for name in named),
        "tags": any(map(is_worn, names)),
        "consents": any(map(is_consent, names)),
        "events": sorted({kind_of(name) for name in names if is_event(name)}),
    }


SAID = """
SELECT DISTINCT CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END
FROM (
  SELECT customer_id FROM facts_scorevalue WHERE txid >= %(since)s::text::xid8
  UNION SELECT customer_id FROM facts_event WHERE kind = ANY(%(events)s) AND txid >= %(since)s::text::xid8
  UNION SELECT customer_id FROM facts_consent WHERE %(consents)s AND txid >= %(since)s::text::xid8
) AS said JOIN facts_customer AS record ON record.id = said.customer_id
"""


def said_since(txid: int) -> list[int]:
    """Of whom a score, an event or a consent that counts said something, or no longer does, from this transaction on:
    the mirror does not note them."""
    with connection.cursor() as sql:
        sql.execute(SAID, {"since": str(txid), **own_that_counts()})
        return [customer for (customer,) in sql.fetchall()]


OLDEST = """
SELECT LEAST(
  (SELECT MIN(business_date) FROM facts_receipt WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8),
  (SELECT MIN(business_date) FROM facts_visit WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8),
  (SELECT MIN(first_on) FROM facts_opening WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8),
  (SELECT MIN(merged.known_on) FROM facts_mergelink AS link JOIN facts_customer AS merged ON merged.id = link.merged_id
   WHERE link.txid >= %(since)s::text::xid8 AND link.txid < %(below)s::text::xid8),
  (SELECT MIN(business_date) FROM facts_referral
   WHERE txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8),
  (SELECT MIN(scored_on) FROM facts_scorevalue
   WHERE %(scores)s AND txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8),
  (SELECT MIN(business_date) FROM facts_event
   WHERE kind = ANY(%(events)s) AND txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8),
  (SELECT MIN(business_date) FROM facts_consent
   WHERE %(consents)s AND txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8),
  (SELECT MIN(first_on) FROM facts_tagspell AS spell
   WHERE %(tags)s AND txid >= %(since)s::text::xid8 AND txid < %(below)s::text::xid8 AND ended_on IS NULL
     -- taken off in the ordinary way, it goes into the past, which stays as it was
     AND NOT EXISTS (SELECT FROM facts_tagspell AS former
                     WHERE former.customer_id = spell.customer_id AND former.first_on = spell.first_on
                       AND former.txid = spell.txid AND former.ended_on IS NOT NULL AND spell.tag_key IS NULL))
)
"""


def oldest_day(window: Window) -> dt.date | None:
    """The earliest business date of any fact recorded or withdrawn in the window; after a merge, of all that moved."""
    with connection.cursor() as sql:
        sql.execute(OLDEST, {"since": str(window.since), "below": str(window.below), **own_that_counts()})
        found: dt.date | None = sql.fetchone()[0]
        return found
