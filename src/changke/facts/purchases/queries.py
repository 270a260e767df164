"""Reads of receipts for pages and machines."""

import datetime as dt

from django.db import connection
from django.db.models import QuerySet

from changke.facts.purchases.models import Receipt, WaitingReturn
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date, start_of_day

RECENT = dt.timedelta(days=31)
"""What is written down today happened lately; so the index of the store's days finds it."""


def waiting_returns(scope: Scope) -> "QuerySet[WaitingReturn]":
    """Returns whose purchase has not come, or does not fit them; the longest waiting first."""
    found: QuerySet[WaitingReturn] = WaitingReturn.objects.for_scope(scope)
    return found.select_related("store").order_by("pk")


def written_today(store: Store, *, now: dt.datetime, most: int) -> list[Receipt]:
    """Receipts that no file brought, recorded on the store's day of `now`, the latest first: each can be taken back."""
    since = start_of_day(business_date(now, store.time_zone), store.time_zone)
    rows = Receipt.objects.filter(store=store, recorded_at__gte=since, business_date__gte=since.date() - RECENT)
    living = rows.filter(withdrawn_by__isnull=True, batch__isnull=True)
    return list(living.select_related("customer").order_by("-recorded_at", "-id")[:most])


def given_back(customer_id: int) -> set[int]:
    """Her receipts of which something was given back, as the numbers see it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT receipt_id FROM live.returns WHERE customer_id = %s AND receipt_id IS NOT NULL", [customer_id]
        )
        return {row[0] for row in cursor.fetchall()}
