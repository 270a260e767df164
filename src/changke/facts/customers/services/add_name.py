"""A further name of a customer, by hand or by a machine: a second phone, an address, a card."""

import datetime as dt

from django.db import transaction

from changke.facts.customers.models import Customer
from changke.facts.customers.services.meet import add_identifiers, reference
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record


@transaction.atomic
def add_name(
    customer: Customer,
    kind: str,
    value: str,
    *,
    source: str = "",
    share: bool = False,
    by: By = HOUSE,
    now: dt.datetime,
) -> bool:
    """Whether it is new. What is another's is refused, unless both use it (`share`); the line in the trail says which
    kind came, not what it says."""
    one = reference(kind, value, source)
    if not add_identifiers(customer, [one], share=share):
        return False
    record(
        by=by,
        action="customer.named",
        subject=f"customer:{customer.pk}",
        customer_id=customer.pk,
        codes=("kind",),
        after={"kind": kind},
        now=now,
    )
    return True
