"""Reading scores and what they said."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from changke.facts.customers.models import Customer
from changke.facts.scores.models import Score, ScoreValue


def scores_for(role: str | None = None, *, retired: bool = False) -> list[Score]:
    """The scores in use, in the order in which they came; with a role only those it may see."""
    found = Score.objects.all() if retired else Score.objects.filter(retired_at__isnull=True)
    return [one for one in found if role is None or not one.roles or role in one.roles]


@dataclass(frozen=True)
class Said:
    """What a score says of somebody, and of which day."""

    score: Score
    number: int | None
    text: str | None
    scored_on: dt.date


# Through the merge links, as everything else about a person.
LATEST = """
SELECT DISTINCT ON (customer_id, score_id) customer_id, score_id, number, text, scored_on FROM live.scores
WHERE customer_id = ANY(%(ids)s) AND score_id = ANY(%(scores)s)
ORDER BY customer_id, score_id, scored_on DESC, value_id DESC
"""


def latest_of(customer_ids: Sequence[int], scores: Iterable[Score]) -> dict[int, list[Said]]:
    """Customer -> the latest of each of these scores, in their order; only where one says something."""
    known = {one.pk: one for one in scores}
    found: dict[int, list[Said]] = {}
    if not known:
        return found
    with connection.cursor() as sql:
        sql.execute(LATEST, {"ids": list(customer_ids), "scores": list(known)})
        for customer, score, number, text, day in sql.fetchall():
            if number is not None or text is not None:
                found.setdefault(customer, []).append(Said(known[score], number, text, day))
    order = {pk: place for place, pk in enumerate(known)}
    for said in found.values():
        said.sort(key=lambda one: order[one.score.pk])
    return found


@dataclass(frozen=True)
class Held:
    """How many values of a score stand, and the latest day of them."""

    values: int
    latest: dt.date | None


HELD = """
SELECT score_id, COUNT(*), MAX(scored_on) FROM facts_scorevalue
WHERE withdrawn_by_id IS NULL AND (number IS NOT NULL OR text IS NOT NULL) GROUP BY score_id
"""


def held() -> dict[int, Held]:
    with connection.cursor() as sql:
        sql.execute(HELD)
        return {score: Held(count, latest) for score, count, latest in sql.fetchall()}


def numbers_in_use() -> list[int]:
    """Every record of whom something may be said: not erased, nor known by a withdrawn batch alone. In order."""
    return list(Customer.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True))


def brought(batch_id: int) -> int:
    """How many values of a batch stand."""
    return ScoreValue.objects.filter(batch_id=batch_id, withdrawn_by__isnull=True).count()
