"""Looking at a whole phone number: who looked, at whose and why is written down first."""

import datetime as dt
import uuid

from django.db import transaction

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import phone_of
from changke.facts.events.services.stream import record
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record as record_line
from changke.foundation.organisation.queries import the_chain


@transaction.atomic
def unmask(customer: Customer, *, reason: str, by: By, now: dt.datetime) -> str:
    """Her first phone in E.164, or an empty text, at which nobody can have looked.

    `reason` is a code. Written twice: as a line of the audit trail, which is sealed and says who saw personal data, and
    as the event `phone.unmasked`, which her timeline tells and by which whoever was called is known
    (docs/decisions/0111).
    """
    phone = phone_of(customer)
    if phone:
        record_line(
            by=by,
            action="phone.unmasked",
            subject=f"customer:{customer.pk}",
            customer_id=customer.pk,
            codes=("reason",),
            after={"reason": reason},
            now=now,
        )
        record(
            "phone.unmasked",
            customer=customer,
            store=customer.home_store,
            staff=Staff.objects.get(pk=by.id) if by.kind == "staff" and by.id is not None else None,
            data={"reason": reason, "by": f"{by.kind}:{by.id}"},
            source_key=f"phone.unmasked:{uuid.uuid4()}",
            happened_at=now,
            now=now,
            time_zone=the_chain().time_zone,
        )
    return phone
