"""Who brought a customer, and whom she brought."""

import datetime as dt

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import customer_in
from changke.facts.customers.services.meet import Reference, UnknownCustomer, find
from changke.facts.referrals.services import name_referrer, take_off_referrer
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Input
from changke.interfaces.api.v1.people import CustomerRef
from changke.interfaces.referrals import Referrals, referrals_of
from changke.profiles.attributes.models import Profile

router = Router(tags=["customers"])


class ReferrerIn(Input):
    """Whoever brought her, in one way; she must be known. By your own id she must be yours to see."""

    referrer: CustomerRef
    brought_on: dt.date | None = Field(
        None, description="The day on which she was brought; else the first on which we know of her."
    )

    model_config = {"json_schema_extra": {"examples": [{"referrer": {"phone": "138 0000 7831"}}]}}


class ReferrerOut(Schema):
    """What was said last about who brought her."""

    is_brought: bool = Field(..., description="Somebody is named, whether or not she is yours to see.")
    referrer_id: int | None = Field(None, description="null: nobody is known, or she is not yours to see.")
    name: str = ""
    brought_on: dt.date | None = None
    how: str = Field("", description="`by_hand`, `file` or `machine`; empty where nobody spoke of it.")
    recorded_at: dt.datetime | None = None
    staff_id: int | None = Field(None, description="Who wrote it down.")


class BroughtOut(Schema):
    """A customer whom she brought."""

    customer_id: int
    name: str
    brought_on: dt.date
    spent_minor: int = Field(..., description="What she spent herself: net spend.")
    spent_365d_minor: int


class ReferralsOut(Schema):
    """Whom she brought. Sums are of all of them; the list holds those whom you may see."""

    referred_customers: int
    referral_value_minor: int = Field(..., description="Beside her own value, never part of it.")
    referral_value_365d_minor: int
    brought: list[BroughtOut]
    elsewhere: int = Field(..., description="How many of them are not yours to see.")


@router.get("/{int:customer_id}/referrer", response=ReferrerOut, operation_id="get_referrer", summary="Who brought her")
def get_referrer(request: HttpRequest, customer_id: int) -> ReferrerOut:
    """The statement that holds: the last one, whoever made it."""
    scope = actor(request).scope_for(Capability.CUSTOMER_VIEW)
    return _out(_found(customer_in(scope, customer_id), scope))


@router.put(
    "/{int:customer_id}/referrer", response=ReferrerOut, operation_id="put_referrer", summary="Say who brought her"
)
def put_referrer(request: HttpRequest, customer_id: int, body: ReferrerIn) -> ReferrerOut:
    """A further statement takes the place of the one before, which is kept. Herself, and whoever she brought, directly
    or through others, are refused with 409."""
    scope, now = actor(request).scope_for(Capability.CUSTOMER_EDIT), dt.datetime.now(dt.UTC)
    customer = customer_in(scope, customer_id)
    name_referrer(customer.pk, meant(body.referrer, scope), brought_on=body.brought_on, by=by(request), now=now)
    return _out(_found(customer, scope))


@router.delete(
    "/{int:customer_id}/referrer", response=ReferrerOut, operation_id="delete_referrer", summary="Take the referrer off"
)
def delete_referrer(request: HttpRequest, customer_id: int) -> ReferrerOut:
    """It was wrong: nobody is known to have brought her. 409 where nobody is named."""
    scope, now = actor(request).scope_for(Capability.CUSTOMER_EDIT), dt.datetime.now(dt.UTC)
    customer = customer_in(scope, customer_id)
    take_off_referrer(customer.pk, by=by(request), now=now)
    return _out(_found(customer, scope))


@router.get(
    "/{int:customer_id}/referred", response=ReferralsOut, operation_id="get_referred", summary="Whom she brought"
)
def get_referred(request: HttpRequest, customer_id: int) -> ReferralsOut:
    """The latest first, and what all of them spent. One level: whom they brought is theirs."""
    scope = actor(request).scope_for(Capability.CUSTOMER_VIEW)
    customer = customer_in(scope, customer_id)
    found, row = _found(customer, scope), Profile.objects.filter(pk=customer.pk).first()
    return ReferralsOut(
        referred_customers=getattr(row, "referred_customers", 0),
        referral_value_minor=getattr(row, "referral_value", 0),
        referral_value_365d_minor=getattr(row, "referral_value_365d", 0),
        brought=[
            BroughtOut(
                customer_id=one.customer.pk,
                name=one.customer.name,
                brought_on=one.on,
                spent_minor=one.spent_minor,
                spent_365d_minor=one.spent_365d_minor,
            )
            for one in found.brought
        ],
        elsewhere=found.elsewhere,
    )


def meant(ref: CustomerRef, scope: Scope) -> int:
    """Whom a reference means as a referrer. Raises UnknownCustomer, or Invalid that names `referrer`."""
    who = referrer(ref)
    known = find([who], scope=scope)
    if who not in known:
        raise UnknownCustomer(value=who.value)
    return known[who]


def referrer(ref: CustomerRef) -> Reference:
    """The reference; what is wrong with it is said of `referrer`."""
    try:
        return ref.reference()
    except Invalid as error:
        field = "referrer" + error.field.removeprefix("customer")
        raise Invalid(field=field, reason=error.reason, **error.reason_places) from None


def _found(customer: Customer, scope: Scope) -> Referrals:
    today = business_date(dt.datetime.now(dt.UTC), the_chain().time_zone)
    return referrals_of(customer, scope=scope, today=today)


def _out(found: Referrals) -> ReferrerOut:
    said = found.said
    return ReferrerOut(
        is_brought=found.is_brought,
        referrer_id=found.referrer.pk if found.referrer else None,
        name=found.referrer.name if found.referrer else "",
        brought_on=said.brought_on if said else None,
        how=said.how if said else "",
        recorded_at=said.recorded_at if said else None,
        staff_id=said.staff_id if said else None,
    )
