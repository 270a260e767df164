"""Tags put on and taken off by hand."""

import datetime as dt

from changke.facts.customers.models import Customer, Tag
from changke.foundation.errors import Invalid

LONGEST_TAG = 60


def add_tag(customer: Customer, name: str, *, source: str = "staff", now: dt.datetime) -> Tag:
    """Put a tag on her; a second time changes nothing."""
    plain = " ".join(name.split())
    if not plain or len(plain) > LONGEST_TAG:
        raise Invalid(field="tag", reason="a tag has 1 to 60 characters")
    tag, _ = Tag.objects.get_or_create(customer=customer, name=plain, defaults={"source": source, "recorded_at": now})
    return tag


def remove_tag(customer: Customer, name: str) -> None:
    Tag.objects.filter(customer=customer, name=name).delete()
