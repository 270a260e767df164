"""The way to a customer's own page: an address that cannot be guessed, ends by itself, and can be closed before."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence

from django.db import transaction

from changke.facts.consents.models import MemberLink
from changke.facts.customers.models import Customer
from changke.foundation.access.models import Staff
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE

GOOD_FOR = dt.timedelta(days=30)


@seeing(CHAIN_WIDE)
@transaction.atomic
def make_link(customer: Customer, *, by: Staff | None, now: dt.datetime) -> str:
    """A new token; only its digest is kept. Links from before end: of a printed code only the last one opens."""
    revoke_links(customer.pk, now=now)
    token = secrets.token_urlsafe(24)
    MemberLink.objects.create(
        customer=customer, digest=digest_of(token), made_by=by, made_at=now, ends_at=now + GOOD_FOR
    )
    return token


def revoke_links(customer_id: int, *, now: dt.datetime) -> int:
    return MemberLink.objects.filter(customer_id=customer_id, ends_at__gt=now).update(ends_at=now)


def customer_of(token: str, *, now: dt.datetime) -> Customer | None:
    """Whose page it opens; nobody's where the link is unknown, closed, old, or she was erased."""
    found = MemberLink.objects.filter(digest=digest_of(token), ends_at__gt=now).select_related("customer__home_store")
    link = found.first()
    if link is None or link.customer.is_erased or not link.customer.is_active:
        return None
    return link.customer


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def forget_links(customer_ids: Sequence[int]) -> int:
    return MemberLink.objects.filter(customer_id__in=customer_ids).delete()[0]
