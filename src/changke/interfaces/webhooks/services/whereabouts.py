"""In which store it happened: by the place that the source names, or by the order that a refund belongs to."""

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from changke.interfaces.webhooks.models import DeliveryState, WebhookDelivery, WebhookPlace
from changke.interfaces.webhooks.services.work import Changes, Key, Work


def find_places(works: Sequence[Work], *, now: dt.datetime) -> None:
    """The store of each place; what no store is known for waits until somebody says which one it is."""
    asked = [work for work in works if work.told.place and not work.changes and work.told.wish is None]
    if not asked:
        return
    named = {work.named(work.told.place): work.told.place_name for work in reversed(asked)}
    WebhookPlace.objects.bulk_create(
        [
            WebhookPlace(address_id=address, place=place, name=name, seen_at=now)
            for (address, place), name in sorted(named.items())
        ],
        ignore_conflicts=True,
    )
    with connection.cursor() as sql:
        # Whoever says now which store it is waits until what it wakes up is there.
        sql.execute(
            """
            SELECT places.id FROM interfaces_webhookplace AS places
            JOIN unnest(%s::bigint[], %s::text[]) AS asked (address_id, place) USING (address_id, place)
            ORDER BY places.id FOR SHARE OF places
            """,
            [[address for address, _ in named], [place for _, place in named]],
        )
        ids = [pk for (pk,) in sql.fetchall()]
    known = {
        (one.address_id, one.place): one.store
        for one in WebhookPlace.objects.select_related("store").filter(pk__in=ids)
    }
    for work in asked:
        work.store = known[work.named(work.told.place)]
        if work.store is None:
            work.changes = _waiting(f"place:{work.told.place}")


def find_orders(works: Sequence[Work]) -> None:
    """The store and receipt of the order that a refund names; a refund that comes before its order waits for it."""
    asked = [work for work in works if work.told.order and not work.told.place and not work.changes]
    subjects = {work.named(f"order:{work.told.order}") for work in asked}
    if not subjects:
        return
    done = WebhookDelivery.objects.select_related("store").filter(
        address__in={address for address, _ in subjects},
        subject__in={subject for _, subject in subjects},
        state=DeliveryState.DONE,
        store__isnull=False,
    )
    first: dict[Key, WebhookDelivery] = {}
    for delivery in done.defer("letter").order_by("pk"):
        first.setdefault((delivery.address_id, delivery.subject), delivery)
    for work in asked:
        order = first.get(work.named(f"order:{work.told.order}"))
        if order is None:
            work.changes = _waiting(f"order:{work.told.order}")
        else:
            work.store, work.number = order.store, order.number


def _waiting(waits_for: str) -> Changes:
    return {"state": DeliveryState.WAITING, "reason": waits_for.partition(":")[0], "waits_for": waits_for}
