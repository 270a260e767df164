"""Tags put on and taken off by hand."""

import datetime as dt

from django.db import transaction

from changke.facts.customers.models import Customer, Tag
from changke.foundation.audit.rules import HOUSE, By, Values
from changke.foundation.audit.services import record
from changke.foundation.errors import Invalid

LONGEST_TAG = 60


@transaction.atomic
def add_tag(customer: Customer, name: str, *, source: str = "staff", by: By = HOUSE, now: dt.datetime) -> Tag:
    """Put a tag on her; a second time changes nothing."""
    plain = " ".join(name.split())
    if not plain or len(plain) > LONGEST_TAG:
        raise Invalid(field="tag", reason="a tag has 1 to 60 characters")
    tag, is_new = Tag.objects.get_or_create(
        customer=customer, name=plain, defaults={"source": source, "recorded_at": now}
    )
    if is_new:
        _record("tag.added", customer, None, {"tag": plain}, by, now)
    return tag


@transaction.atomic
def remove_tag(customer: Customer, name: str, *, by: By = HOUSE, now: dt.datetime) -> None:
    """Take it off; where it is not, nothing happens."""
    if Tag.objects.filter(customer=customer, name=name).delete()[0]:
        _record("tag.removed", customer, {"tag": name}, None, by, now)


def _record(
    action: str, customer: Customer, before: Values | None, after: Values | None, by: By, now: dt.datetime
) -> None:
    subject = f"customer:{customer.pk}"
    record(by=by, action=action, subject=subject, before=before, after=after, customer_id=customer.pk, now=now)
