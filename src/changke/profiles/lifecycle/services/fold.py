"""Follow the facts: whoever has a new, changed or withdrawn one is refreshed. Woken by NOTIFY, safe at any time."""

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from changke.foundation.cursors import close_window, open_window
from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.queries import days_at, last_bulk_run
from changke.profiles.lifecycle.services.changes import CURSOR, touched
from changke.profiles.lifecycle.services.some import refresh_customers
from changke.profiles.lifecycle.services.today import fall_behind

MANY = 20_000
"""Customers beyond which the bulk run is quicker than following one by one."""
FEW = 100
SHARE = 10
"""One in ten of those whom the last bulk run knew, if they are not few: they would be placed among customers who are
no longer all there are. A shop's first file is followed by a run over everybody, not by the values of an empty shop."""


@dataclass(frozen=True)
class Folded:
    """What following did. `wants_bulk`: too many for this path; nothing was done, a bulk run takes them."""

    customers: int
    changed: int
    wants_bulk: bool = False


def too_many() -> int:
    """Customers beyond which a bulk run shall follow."""
    bulk = last_bulk_run()
    return min(MANY, max(FEW, bulk.customers // SHARE if bulk else 0))


def fold(now: dt.datetime, *, many: int = MANY) -> Folded:
    """Refresh everybody with facts since the last call. One follower at a time; a second one returns at once."""
    if not _only_one():
        return Folded(0, 0)
    try:
        window = open_window(CURSOR)
        if window.since > window.below:  # a restored database counts its transactions anew: see `refresh_from`
            return Folded(0, 0, wants_bulk=True)
        if window.is_empty:
            return Folded(0, 0)
        bulk, chain = last_bulk_run(), the_chain()
        # Before the first bulk run there is nothing to be late for.
        late_before = bulk.as_of if bulk else dt.date.min
        late_before = max(late_before, days_at(now, chain).chain) if bulk else late_before
        causes = touched(window, late_before=late_before, limit=many + 1)
        if len(causes) > many:
            return Folded(0, 0, wants_bulk=True)
        done = refresh_customers(list(causes), now=now, causes=causes, chain=chain) if causes else None
        if causes:
            fall_behind(now)
        close_window(CURSOR, window)
        return Folded(len(causes), done.changed if done else 0)
    finally:
        _release()


def _only_one() -> bool:
    with connection.cursor() as sql:
        sql.execute("SELECT pg_try_advisory_lock(hashtext('profiles.fold'))")
        return bool(sql.fetchone()[0])


def _release() -> None:
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_unlock(hashtext('profiles.fold'))")
