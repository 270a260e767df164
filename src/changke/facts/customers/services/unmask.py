"""Looking at a whole phone number: who looked, at whose and why is written down first."""

import datetime as dt

from django.db import transaction

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import phone_of
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record


@transaction.atomic
def unmask(customer: Customer, *, reason: str, by: By, now: dt.datetime) -> str:
    """Her first phone in E.164, or an empty text, at which nobody can have looked.

    The audit line is the one record of it: it is not a thing that happened to her, and it is sealed.
    """
    phone = phone_of(customer)
    if phone:
        record(
            by=by,
            action="phone.unmasked",
            subject=f"customer:{customer.pk}",
            customer_id=customer.pk,
            after={"reason": reason},
            now=now,
        )
    return phone
