"""Writing what stands in a customer's fields."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from changke.facts.customers.models import Customer
from changke.facts.fields import rules
from changke.facts.fields.models import Field, FieldValue
from changke.facts.fields.queries import values_of
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.database.append_only import current_xid
from changke.foundation.errors import Invalid, NotFound


@transaction.atomic
def set_values(
    customer_id: int, values: Mapping[str, object], *, by: By = HOUSE, now: dt.datetime
) -> dict[str, rules.Plain]:
    """Set some fields, by key; None empties one. All of them or, where one does not fit, none.

    Money in minor units, a day as ISO text, several choices as a list: what somebody typed goes through `rules.read`
    first.
    """
    customer = Customer.objects.select_for_update().filter(pk=customer_id).first()
    if customer is None:
        raise NotFound
    fields = {field.key: field for field in Field.objects.filter(key__in=values, retired_at__isnull=True)}
    fitting: dict[str, rules.Plain] = {}
    for key, value in values.items():
        if key not in fields:
            raise Invalid(field=key, reason="not a field of this chain")
        try:
            fitting[key] = rules.fit(fields[key].rule, value)
        except rules.Unfit as unfit:
            raise Invalid(field=key, reason=unfit.reason, **unfit.places) from None
    before = values_of(customer_id, fields.values())
    for key, value in fitting.items():
        if value != before[key]:
            text, number, day = rules.stored(fields[key].kind, value)
            written: dict[str, Any] = {"text": text, "number": number, "day": day, "txid": current_xid()}
            FieldValue.objects.update_or_create(customer=customer, field=fields[key], defaults=written)
    record(
        by=by,
        action="profile.changed",
        subject=f"profile:{customer_id}",
        customer_id=customer_id,
        before=before,
        after=fitting,
        now=now,
    )
    return fitting
