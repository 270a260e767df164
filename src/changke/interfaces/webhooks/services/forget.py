"""Letters hold names and phones: they go when nobody needs them to be looked at again."""

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from changke.interfaces.webhooks.models import WebhookDelivery, WebhookRefusal

KEEP_ROWS = dt.timedelta(days=400)
"""Without their letters deliveries stay longer: they know which version of an order is in."""


def forget_letters(*, now: dt.datetime) -> int:
    """Take the letters out of deliveries that are older than their address keeps them; how many."""
    with connection.cursor() as sql:
        sql.execute(
            """
            UPDATE interfaces_webhookdelivery AS old SET letter = NULL FROM interfaces_webhookaddress AS address
            WHERE address.id = old.address_id AND old.letter IS NOT NULL
              AND old.received_at < %s - make_interval(days => address.keep_days)
            """,
            [now],
        )
        gone = int(sql.rowcount)
    WebhookDelivery.objects.filter(received_at__lt=now - KEEP_ROWS).delete()
    WebhookRefusal.objects.filter(day__lt=(now - KEEP_ROWS).date()).delete()
    return gone


def erase_letters(customer_ids: Sequence[int]) -> int:
    """Take out the letters about these customers; how many."""
    about = WebhookDelivery.objects.filter(customer_ids__overlap=list(customer_ids), letter__isnull=False)
    return about.update(letter=None)
