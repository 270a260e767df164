"""Tags that a rule puts on by the thousand, each with its rule and its fact; and their taking back."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from changke.facts.customers.services.renew import renew
from changke.foundation.organisation.queries import the_chain

SOURCE = "rule"


@dataclass(frozen=True)
class Ruled:
    """One tag that a rule believes, and the fact it was read from (`receipt:12`)."""

    customer_id: int
    tag: str
    rule: str
    fact: str


# Worn already, it is confirmed: it ages anew and keeps its first evidence. What somebody called wrong stays off.
PUT_ON = """
INSERT INTO facts_tag AS worn (customer_id, name, source, rule, fact, recorded_at, stale_on)
SELECT wanted.customer, wanted.tag, %(source)s, wanted.rule, wanted.fact, %(now)s,
       (%(now)s::timestamptz AT TIME ZONE %(zone)s)::date + word.stale_after_days
FROM unnest(%(customers)s::bigint[], %(tags)s::text[], %(rules)s::text[], %(facts)s::text[])
  AS wanted (customer, tag, rule, fact)
LEFT JOIN facts_tagword AS word ON word.name = wanted.tag
WHERE NOT EXISTS (
  SELECT FROM facts_formertag AS former
  WHERE former.customer_id = wanted.customer AND former.name = wanted.tag AND former.ended_because = 'disputed')
ORDER BY wanted.customer, wanted.tag
ON CONFLICT (customer_id, name) DO UPDATE SET stale_on = EXCLUDED.stale_on
"""
# Of a group that allows one answer the one that was put on last stays.
ONE_ANSWER = """
WITH answers AS (
  SELECT worn.id, row_number() OVER (PARTITION BY worn.customer_id, word.group_id
                                     ORDER BY worn.recorded_at DESC, worn.id DESC) AS place
  FROM facts_tag AS worn
  JOIN facts_tagword AS word ON word.name = worn.name
  JOIN facts_taggroup AS one ON one.id = word.group_id AND one.only_one
  WHERE worn.customer_id = ANY(%(customers)s)
), gone AS (
  DELETE FROM facts_tag WHERE id IN (SELECT id FROM answers WHERE place > 1)
  RETURNING customer_id, name, source, given_by_id, rule, fact, recorded_at
)
INSERT INTO facts_formertag (customer_id, name, source, given_by_id, rule, fact, recorded_at, ended_at, ended_because)
SELECT gone.*, %(now)s, 'replaced' FROM gone
"""
# Whoever follows the customers sees that something about them changed.
RENEWED = """
UPDATE facts_customer SET txid = pg_current_xact_id()
WHERE id = ANY(%(customers)s) AND EXISTS (
  SELECT FROM facts_tag AS worn WHERE worn.customer_id = facts_customer.id AND worn.recorded_at = %(now)s)
"""


@transaction.atomic
def put_on(ruled: Sequence[Ruled], *, now: dt.datetime) -> int:
    """Put these tags on; how many were put on or confirmed. Each (customer, tag) stands once in `ruled`."""
    if not ruled:
        return 0
    values: dict[str, Any] = {
        "source": SOURCE,
        "now": now,
        "zone": the_chain().time_zone,
        "customers": [one.customer_id for one in ruled],
        "tags": [one.tag for one in ruled],
        "rules": [one.rule for one in ruled],
        "facts": [one.fact for one in ruled],
    }
    with connection.cursor() as sql:
        sql.execute(PUT_ON, values)
        put = sql.rowcount
        sql.execute(ONE_ANSWER, values)
        sql.execute(RENEWED, values)
    return int(put)


@transaction.atomic
def take_back(facts: Sequence[str]) -> int:
    """Take off what rules read from facts that were withdrawn since: it was never true, so it leaves no past."""
    with connection.cursor() as sql:
        sql.execute(
            "DELETE FROM facts_tag WHERE source = %s AND fact = ANY(%s) RETURNING customer_id", [SOURCE, list(facts)]
        )
        gone = [customer for (customer,) in sql.fetchall()]
    renew(set(gone))
    return len(gone)
