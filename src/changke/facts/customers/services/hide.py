"""A customer whom only an undone batch knew is kept and shown nowhere."""

from collections.abc import Sequence

from django.db import transaction

from changke.facts.customers.models import Customer
from changke.foundation.database.append_only import current_xid

CHUNK = 2_000


def hide(customer_ids: Sequence[int]) -> int:
    """Make inactive; how many were not yet. A later load that knows one of them by an identifier shows her again."""
    hidden = 0
    for place in range(0, len(customer_ids), CHUNK):
        with transaction.atomic():
            some = Customer.objects.filter(pk__in=customer_ids[place : place + CHUNK], is_active=True)
            hidden += some.update(is_active=False, txid=current_xid())
    return hidden
