"""A phone, an address or a number that is not hers after all is taken off."""

import datetime as dt

from django.db import transaction

from changke.facts.customers.models import Customer, Identifier, IdentifierKind
from changke.facts.customers.queries import family_of, named, values_of
from changke.facts.customers.services.names import take_off
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import DomainError, NotFound
from changke.foundation.organisation.scope import CHAIN_WIDE


class NumberOfSystem(DomainError):
    code, status = "number_of_system", 409
    message = "This number is her key in another system, whose next file would bring her again under it. It stays."


@seeing(CHAIN_WIDE)
@transaction.atomic
def remove_name(customer: Customer, identifier_id: int, *, by: By = HOUSE, now: dt.datetime) -> None:
    """She is known by it no more, on none of her records. What was recorded under it stays hers: whose it was is not
    known, only that it is not found any more. Whoever shares it is found by it from now on. The line in the trail says
    which kind went, not what it said."""
    family = family_of(customer.pk)
    one = Identifier.objects.select_for_update().filter(pk=identifier_id, customer__in=family).first()
    if one is None:
        raise NotFound
    if one.kind == IdentifierKind.EXTERNAL:
        raise NumberOfSystem
    same = named(one.kind, values_of([one])[one.pk], one.source)
    take_off(Identifier.objects.filter(same, customer__in=family))
    record(
        by=by,
        action="customer.unnamed",
        subject=f"customer:{customer.pk}",
        customer_id=customer.pk,
        codes=("kind",),
        before={"kind": one.kind},
        now=now,
    )
