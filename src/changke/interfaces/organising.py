"""What changing the chain and its stores brings with it, for pages and machines."""

import datetime as dt
from collections.abc import Mapping

from django.db.models import Count, Q

from changke.foundation.audit.rules import By
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.services import change_store
from changke.interfaces import jobs
from changke.profiles.attributes.models import Profile
from changke.profiles.attributes.queries import days_at
from changke.profiles.attributes.services.days import put_back


def change(store: Store, changes: Mapping[str, object], *, by: By, now: dt.datetime) -> Store:
    """The store with these changes. In another zone its customers' day begins at another moment: they are computed
    again."""
    zone = store.time_zone
    changed = change_store(store, changes, by=by, now=now)
    if changed.time_zone != zone:
        put_back(changed, now)
        jobs.ask_for_refresh()
    return changed


def silent_and_lost(chain: Chain, silent: int, lost: int, *, now: dt.datetime) -> tuple[dict[str, int], dict[str, int]]:
    """How many customers are silent and lost today, and how many would be after so many days."""
    today = days_at(now, chain).chain
    return (
        _counts(today, chain.silent_after_days, chain.lost_after_days),
        _counts(today, min(max(silent, 1), 3650), min(max(lost, 2), 3650)),
    )


def _counts(today: dt.date, silent: int, lost: int) -> dict[str, int]:
    silent_on, lost_on = today - dt.timedelta(days=silent), today - dt.timedelta(days=lost)
    return Profile.objects.aggregate(
        silent=Count("customer_id", filter=Q(last_active_on__lte=silent_on, last_active_on__gt=lost_on)),
        lost=Count("customer_id", filter=Q(last_active_on__lte=lost_on)),
    )
