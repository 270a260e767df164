"""What customers of a stage need, from what is known of them: need tags, what is proposed, what they buy, what may have
driven them away. Read when asked, over a fixed part of the customers where there are very many."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import connection

from changke.facts.customers.queries import whom_sql
from changke.foundation.organisation.scope import Scope
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.models import Standing
from changke.profiles.lifecycle.rules import LifecycleModel

MOST_ASKED = 20_000
"""Customers asked; of more every n-th by id is. A share of 1 % is then known to 0.1 %."""

MOST_TOLD = 6
"""Needs of one kind that are told, the most common first."""

BOUGHT_DAYS = 90

TAGS, PROPOSED, BOUGHT, CAUSES = "tags", "proposed", "bought", "causes"
KINDS = (TAGS, PROPOSED, BOUGHT, CAUSES)


@dataclass(frozen=True)
class Need:
    """One thing, and how many of the stage's customers who were asked it concerns. `share_of_all`: of all stages'."""

    what: str
    """Name of a tag or an item, or code of a cause."""
    customers: int
    share: float
    share_of_all: float


@dataclass(frozen=True)
class StageNeeds:
    """`customers` were asked of those who stand in the stage; the lists are of them, the most common first."""

    stage: str
    customers: int
    told: Mapping[str, tuple[Need, ...]] = field(default_factory=dict)
    """Kind -> needs."""


def needs_of(model: LifecycleModel, scope: Scope, *, today: dt.date) -> list[StageNeeds]:
    """Every stage of the model in the order of life, of the customers that the scope sees."""
    seen, bound = whom_sql(scope, person="one.customer_id", home="one.home_store_id")
    step = Profile.objects.for_scope(scope).count() // MOST_ASKED + 1
    values = {**bound, "model": model.key, "step": step, "today": today, "since": today - dt.timedelta(BOUGHT_DAYS)}
    asked = ASKED.format(standing=Standing._meta.db_table, profile=Profile._meta.db_table, seen=seen)
    with connection.cursor() as sql:
        sql.execute(f"{asked} SELECT stage, COUNT(*) FROM asked GROUP BY 1", values)  # noqa: S608 -- our own words
        customers = dict(sql.fetchall())
        counted: dict[str, dict[str, dict[str, int]]] = {}
        for kind, statement in STATEMENTS.items():
            sql.execute(f"{asked} {statement}", values)
            for stage, what, people in sql.fetchall():
                counted.setdefault(kind, {}).setdefault(stage, {})[what] = people
    return [
        StageNeeds(
            stage.key,
            customers.get(stage.key, 0),
            {kind: _told(stage.key, counted.get(kind, {}), customers) for kind in KINDS},
        )
        for stage in model.stages
    ]


def _told(stage: str, counted: Mapping[str, Mapping[str, int]], customers: Mapping[str, int]) -> tuple[Need, ...]:
    everybody, here = sum(customers.values()), customers.get(stage, 0)
    of_all: dict[str, int] = {}
    for found in counted.values():
        for what, people in found.items():
            of_all[what] = of_all.get(what, 0) + people
    ranked = sorted(counted.get(stage, {}).items(), key=lambda one: (-one[1], one[0]))
    return tuple(Need(what, people, people / here, of_all[what] / everybody) for what, people in ranked[:MOST_TOLD])


ASKED = """
WITH asked AS (
  SELECT one.customer_id, standing.stage
  FROM {profile} AS one
  JOIN {standing} AS standing ON standing.customer_id = one.customer_id AND standing.model = %(model)s
  WHERE {seen} AND one.customer_id %% %(step)s = 0
)
"""

STATEMENTS = {
    TAGS: """
SELECT asked.stage, tag.name, COUNT(*) FROM asked JOIN facts_tag AS tag ON tag.customer_id = asked.customer_id
WHERE tag.stale_on IS NULL OR tag.stale_on > %(today)s
GROUP BY 1, 2
""",
    PROPOSED: """
SELECT asked.stage, item.name, COUNT(*) FROM asked
JOIN profiles_proposal AS proposal ON proposal.customer_id = asked.customer_id
JOIN facts_item AS item ON item.id = (proposal.items -> 0 ->> 'item')::bigint AND item.is_active
GROUP BY 1, 2
""",
    BOUGHT: """
SELECT asked.stage, item.name, COUNT(DISTINCT asked.customer_id) FROM asked
JOIN (SELECT customer_id, receipt_id FROM live.purchases WHERE business_date BETWEEN %(since)s AND %(today)s
      UNION ALL
      SELECT customer_id, receipt_id FROM live.uses WHERE business_date BETWEEN %(since)s AND %(today)s
) AS deed ON deed.customer_id = asked.customer_id
JOIN facts_line AS line ON line.receipt_id = deed.receipt_id
JOIN facts_item AS item ON item.id = line.item_id
GROUP BY 1, 2
""",
    CAUSES: """
SELECT asked.stage, warning.cause, COUNT(DISTINCT asked.customer_id) FROM asked
JOIN profiles_churnwarning AS warning ON warning.customer_id = asked.customer_id
WHERE warning.cause <> '' AND warning.ended_on IS NULL
GROUP BY 1, 2
""",
}
"""Kind -> stage, what, and of how many of those asked. Of what is proposed, what stands first for her."""
