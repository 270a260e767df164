"""How fast a key may ask, over all processes that serve: one row per key, one statement per request.

The bucket holds as many requests as the key has in a minute and fills evenly. Instead of a level and a moment the row
keeps one moment, at which the bucket is full again (GCRA): a request moves it one step further, and one that would move
it more than a minute ahead is refused. docs/decisions/0031 says why in the database and what it costs.
"""

import datetime as dt
import math
from dataclasses import dataclass

from django.db import connection

from changke.foundation.access.models import ApiKey, RateBucket

MINUTE = dt.timedelta(minutes=1)

TAKE = """
INSERT INTO foundation_ratebucket AS bucket (key_id, full_at)
VALUES (%(key)s, %(now)s + make_interval(secs => %(step)s))
ON CONFLICT (key_id) DO UPDATE SET full_at = GREATEST(bucket.full_at, %(now)s) + make_interval(secs => %(step)s)
WHERE GREATEST(bucket.full_at, %(now)s) + make_interval(secs => %(step)s) <= %(now)s + interval '1 minute'
RETURNING full_at
"""


@dataclass(frozen=True)
class Rate:
    """What is left after a request, as its answer tells it."""

    limit: int
    remaining: int
    reset_seconds: int
    """Until the bucket is full again."""
    retry_seconds: int = 0
    """Until the next one is taken; 0 where this one was."""

    @property
    def is_taken(self) -> bool:
        return self.retry_seconds == 0


def take(key: ApiKey, *, now: dt.datetime) -> Rate:
    """One request more of this key, if its bucket has one."""
    step = MINUTE / key.per_minute
    with connection.cursor() as sql:
        sql.execute(TAKE, {"key": key.pk, "now": now, "step": step.total_seconds()})
        row = sql.fetchone()
    if row is not None:
        ahead = row[0] - now
        return Rate(key.per_minute, int((MINUTE - ahead) / step), math.ceil(ahead.total_seconds()))
    full_at = RateBucket.objects.values_list("full_at", flat=True).get(key=key)
    wait = full_at + step - now - MINUTE
    return Rate(
        key.per_minute,
        0,
        math.ceil((full_at - now).total_seconds()),
        max(1, math.ceil(wait.total_seconds())),
    )
