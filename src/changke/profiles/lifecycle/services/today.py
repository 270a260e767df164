"""Count today once more when customers were computed since: the charts say what the lists say.

The night counts everybody from the mirror. During the day single customers change their stage, come and go; the rows
of today are then counted from what stands in the profiles. Flows stay those of the night.
"""

import datetime as dt

from django.db import connection, transaction

from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.queries import days_at
from changke.profiles.lifecycle.models import SeriesFill, StageCount
from changke.profiles.lifecycle.queries import models_in_use

LEAST_SECONDS = 20
PER_SECOND = 1_000
"""Customers that may be counted for each second since the last counting: a million every seventeen minutes. Counting
them takes some seconds, so it stays under a hundredth of the machine at any size."""

COUNTED = """
INSERT INTO profiles_stagecount (day, model, stage, store_id, customers, value_minor)
SELECT %(day)s, standing.model, standing.stage, profile.home_store_id, COUNT(*), SUM(profile.value_at_risk)
FROM profiles_profile AS profile JOIN profiles_standing AS standing ON standing.customer_id = profile.customer_id
WHERE standing.model = ANY(%(models)s)
GROUP BY standing.model, standing.stage, profile.home_store_id
"""


def fall_behind(now: dt.datetime) -> None:
    """Somebody was computed: today's counts do not know it yet."""
    today = SeriesFill.objects.filter(day=_today(now), behind_since__isnull=True)
    today.update(behind_since=now)


def recount(now: dt.datetime) -> bool:
    """Count today, if it is behind and was not counted a moment ago; whether it was. Safe to repeat.

    A day that no night has counted yet is left to the night: until then the charts end with the day before.
    """
    fill = SeriesFill.objects.filter(behind_since__isnull=False).order_by("-day").first()
    if fill is None or fill.day != (day := _today(now)) or now - fill.filled_at < _wait(day):
        return False
    with transaction.atomic(), connection.cursor() as sql:
        one_at_a_time()
        # What comes to be behind while we count is counted next time.
        if not SeriesFill.objects.filter(day=day, behind_since__isnull=False).update(behind_since=None, filled_at=now):
            return False
        StageCount.objects.filter(day=day).delete()
        sql.execute(COUNTED, {"day": day, "models": [model.key for model in models_in_use()]})
    return True


def one_at_a_time() -> None:
    """Until the transaction ends nobody else writes counts of the charts."""
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(hashtext('profiles.series'))")


def _today(now: dt.datetime) -> dt.date:
    return days_at(now, the_chain()).chain


def _wait(day: dt.date) -> dt.timedelta:
    """How long counts of the day are kept: the longer, the more customers stand in them."""
    rows = StageCount.objects.filter(day=day).values_list("model", "customers")
    by_model: dict[str, int] = {}
    for model, customers in rows:
        by_model[model] = by_model.get(model, 0) + customers
    return dt.timedelta(seconds=max(LEAST_SECONDS, max(by_model.values(), default=0) // PER_SECOND))
