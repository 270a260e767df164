"""A store whose day was moved: its clock was set to a zone farther west, and it is the day before there again."""

import datetime as dt

from changke.foundation.organisation.models import Store
from changke.foundation.periods import business_date
from changke.profiles.attributes.models import Profile


def put_back(store: Store, now: dt.datetime) -> int:
    """Rows of a later day than it is there now stop counting as newer than what is computed from here on.

    A row is never replaced by one of an earlier day; without this, no fact would reach these customers until their new
    day has caught up. Returns how many were put back.
    """
    day = business_date(now, store.time_zone)
    return Profile.objects.filter(home_store_id=store.pk, as_of__gt=day).update(as_of=day)
