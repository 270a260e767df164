"""Customers: profile fields are audited state. Of batches there is one line each, whatever they did to how many."""

import datetime as dt
from collections.abc import Mapping

from changke.facts.customers.models import Customer
from changke.facts.customers.services.change import CHANGEABLE, as_audited, change
from changke.foundation.access.models import Staff
from changke.foundation.audit.kinds import Kind, leave_out, register
from changke.foundation.audit.rules import By, Values
from changke.foundation.organisation.models import Store


def _now(key: str) -> Values | None:
    customer = Customer.objects.filter(pk=key, is_active=True).first()
    return as_audited(customer, sorted(CHANGEABLE)) if customer else None


def _restore(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    """An adviser who has left is put back as nobody."""
    changes = dict(values)
    for field, rows in (("home_store", Store.objects.all()), ("adviser", Staff.objects.filter(is_active=True))):
        if field in changes:
            named = changes[field]
            changes[field] = rows.filter(pk=int(str(named))).first() if named is not None else None
    change(int(key), changes, by=by, now=now)


register(Kind("customer", ("facts_customer", "facts_tag"), "customer.edit", _now, _restore))
leave_out("facts_identifier", "written with the person: a registration, a batch or a merge, each with its own line")
leave_out("facts_replaced", "what a batch replaced, kept for its undo")
leave_out("facts_note", "what a person wrote is its own record, with who and when")
leave_out("facts_chosen", "whom a bulk change means: it is a batch, with one line")
leave_out("facts_kept", "rows of a batch that wait for their room")
