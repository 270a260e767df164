"""Scores by the thousand, and a load of them taken back."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

CHUNK = 2_000
"""Rows of one transaction of an undo: well under a second."""


@dataclass(frozen=True)
class Wanted:
    """What is said of one customer by one score, as of a day."""

    customer_id: int
    score_id: int
    number: int | None
    text: str | None
    scored_on: dt.date


# What stands for that day already and says the same is left alone, so that a load may be repeated. What says something
# else stays too: the later row is read, and withdrawing it brings the earlier back.
TAKE_IN = """
INSERT INTO facts_scorevalue (customer_id, score_id, number, text, scored_on, batch_id)
SELECT given.customer_id, given.score_id, given.number, given.text, given.scored_on, %s
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::date[])
  AS given (customer_id, score_id, number, text, scored_on)
LEFT JOIN LATERAL (
  SELECT standing.id AS standing_id, standing.number, standing.text FROM facts_scorevalue AS standing
  WHERE standing.customer_id = given.customer_id AND standing.score_id = given.score_id
    AND standing.scored_on = given.scored_on AND standing.withdrawn_by_id IS NULL
  ORDER BY standing.id DESC LIMIT 1
) AS there ON TRUE
WHERE standing_id IS NULL OR (there.number, there.text) IS DISTINCT FROM (given.number, given.text)
RETURNING customer_id, score_id, scored_on
"""
WITHDRAW = """
UPDATE facts_scorevalue SET withdrawn_by_id = %(batch)s, txid = pg_current_xact_id()
WHERE id IN (SELECT id FROM facts_scorevalue WHERE batch_id = %(batch)s AND withdrawn_by_id IS NULL LIMIT %(most)s)
"""


@transaction.atomic
def take_in_scores(wanted: Sequence[Wanted], *, batch_id: int) -> set[tuple[int, int, dt.date]]:
    """Write what is new: customer, score and day of each. The same once more writes nothing."""
    if not wanted:
        return set()
    rows = [(one.customer_id, one.score_id, one.number, one.text, one.scored_on) for one in wanted]
    with connection.cursor() as sql:
        sql.execute(TAKE_IN, [batch_id, *(list(column) for column in zip(*rows, strict=True))])
        return set(sql.fetchall())


def withdraw_scores(batch_id: int) -> int:
    """Take back what a batch brought; how many values. Safe to repeat."""
    gone = 0
    while True:
        with transaction.atomic(), connection.cursor() as sql:
            sql.execute(WITHDRAW, {"batch": batch_id, "most": CHUNK})
            if not sql.rowcount:
                return gone
            gone += sql.rowcount
