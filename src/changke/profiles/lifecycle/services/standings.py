"""Stages that changed: a row of where she stands, and an event that says from, to, and why."""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import connection

from changke.facts.events.services import record_selected
from changke.profiles.lifecycle.rules import LifecycleModel

FIRST_RUN, RULE, LATE, FACT, TIME = "first_run", "rule", "late", "fact", "time"

# `fresh` holds what was just computed and merged. A row that was refused as older than the stored one is passed over.
CHANGED = """
WITH changed AS MATERIALIZED (
  SELECT fresh.customer_id, fresh.as_of, fresh.home_store_id, asked.model, asked.version, asked.stage,
         standing.stage AS was,
         CASE WHEN asked.cause = 'first_run' THEN asked.cause
              WHEN fresh.cause IS NOT NULL THEN fresh.cause
              WHEN standing.stage IS NULL THEN 'fact'
              ELSE asked.cause END AS cause
  FROM fresh
  JOIN profiles_profile AS kept
    ON kept.customer_id = fresh.customer_id AND kept.as_of <= fresh.as_of AND kept.snapshot <= fresh.snapshot
  CROSS JOIN LATERAL unnest(%(models)s::text[], %(versions)s::int[], %(causes)s::text[], fresh.stages)
    AS asked(model, version, cause, stage)
  LEFT JOIN profiles_standing AS standing
    ON standing.customer_id = fresh.customer_id AND standing.model = asked.model
  WHERE standing.stage IS DISTINCT FROM asked.stage
), moved AS (
  INSERT INTO profiles_standing (customer_id, model, stage, since, previous)
  SELECT customer_id, model, stage, as_of, COALESCE(was, '') FROM changed ORDER BY customer_id, model
  ON CONFLICT (customer_id, model) DO UPDATE
    SET stage = EXCLUDED.stage, since = EXCLUDED.since, previous = profiles_standing.stage
    WHERE profiles_standing.stage <> EXCLUDED.stage
  RETURNING customer_id, model
)
"""

EVENTS = """
SELECT changed.customer_id, changed.home_store_id AS store_id,
       jsonb_build_object('model', changed.model, 'version', changed.version, 'from', changed.was, 'to', changed.stage,
                          'cause', changed.cause) AS data,
       %(now)s::timestamptz AS happened_at, changed.as_of AS business_date,
       'stage:' || changed.model || ':' || changed.customer_id || ':' || gen_random_uuid() AS source_key
FROM changed JOIN moved ON moved.customer_id = changed.customer_id AND moved.model = changed.model
"""


def record_changes(models: Sequence[LifecycleModel], *, causes: Mapping[str, str], now: dt.datetime) -> int:
    """Bring standings up to the fresh rows, and record each change as an event. Returns how many there were.

    Parameters
    ----------
    models
        In the order of `fresh.stages`.
    causes
        Model -> why a stage changes in this run where the row itself gives no cause.
    """
    values = {
        "models": [model.key for model in models],
        "versions": [model.version for model in models],
        "causes": [causes[model.key] for model in models],
    }
    return record_selected("stage.changed", CHANGED, EVENTS, values, now=now)


def drop_standings(customer_ids: Sequence[int]) -> None:
    """Forget customers who are no longer among the living facts."""
    with connection.cursor() as sql:
        sql.execute("DELETE FROM profiles_standing WHERE customer_id = ANY(%s)", [list(customer_ids)])
