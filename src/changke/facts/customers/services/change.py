"""Profile fields changed by hand. They are audited state: the event says which fields, not what they held."""

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import transaction

from changke.facts.customers import rules
from changke.facts.customers.models import Customer
from changke.facts.customers.services.register import CODES, PROFILE_FIELDS, check_birthday
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.database.append_only import current_xid
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.periods import business_date

LINKS = {"home_store": "home_store_id", "adviser": "adviser_id"}
CHANGEABLE = PROFILE_FIELDS | {"name", "source", "home_store", "adviser"}


@seeing(CHAIN_WIDE)  # the caller saw her; given to another adviser she may be seen no more
@transaction.atomic
def change(customer_id: int, changes: Mapping[str, object], *, by: By = HOUSE, now: dt.datetime) -> Customer:
    """Change some fields. Renews the transaction id, so that her profile is computed again."""
    customer = Customer.objects.select_for_update().filter(pk=customer_id).first()
    if customer is None:
        raise NotFound
    before = as_audited(customer, changes)
    for field, value in changes.items():
        if field not in CHANGEABLE:
            raise Invalid(field=field, reason="not a field of the profile")
        setattr(customer, field, value)
    if "name" in changes:
        customer.name = rules.clean_name(customer.name)
        customer.pinyin, customer.initials = rules.pinyin(customer.name), rules.initials(customer.name)
        customer.name_grams = rules.grams(customer.name)
    zone = customer.home_store.time_zone if customer.home_store else the_chain().time_zone
    check_birthday(customer, today=business_date(now, zone))
    for column in customer._meta.concrete_fields:
        longest = getattr(column, "max_length", None)
        if column.name in changes and longest and len(str(getattr(customer, column.name) or "")) > longest:
            raise Invalid(field=column.name, reason="at most %(longest)s characters", longest=longest)
    customer.txid = current_xid()  # type: ignore[assignment]  # the database fills it in
    customer.save()
    customer.refresh_from_db()
    record(
        by=by,
        action="customer.changed",
        subject=f"customer:{customer.pk}",
        customer_id=customer.pk,
        codes=CODES,
        before=before,
        after=as_audited(customer, changes),
        now=now,
    )
    return customer


def as_audited(customer: Customer, fields: Iterable[str]) -> dict[str, object]:
    """Those fields as an audit line keeps them: a store or an adviser by id."""
    return {field: getattr(customer, LINKS.get(field, field)) for field in fields}
