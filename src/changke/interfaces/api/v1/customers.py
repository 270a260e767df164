"""Customers: found, written down, changed; their phones masked unless one asks and says why."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from changke.facts.customers import rules
from changke.facts.customers.models import Customer, Gender, Identifier, IdentifierKind
from changke.facts.customers.queries import (
    LIVING,
    OF_HOME,
    PERSON_OF,
    customer_in,
    is_of,
    named,
    records_of,
    values_of,
    with_phone,
    with_phone_tail,
)
from changke.facts.customers.services.add_name import add_name
from changke.facts.customers.services.change import change
from changke.facts.customers.services.meet import IdentifierTaken, add_identifiers, reference
from changke.facts.customers.services.register import PhoneKnown, register
from changke.facts.customers.services.remove_name import remove_name
from changke.facts.events.services import record, unmask
from changke.facts.referrals.services import name_referrer
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.errors import Invalid
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import ScopedQuerySet
from changke.interfaces.api.actors import Actor, actor, by
from changke.interfaces.api.fields import Code, Id, Input, Storable, text
from changke.interfaces.api.paging import Page, PageQuery, page, position
from changke.interfaces.api.v1.people import CustomerRef
from changke.interfaces.api.v1.places import Named, UnknownStaff
from changke.interfaces.api.v1.referrals import meant
from changke.interfaces.web.customers.filters import Filters
from changke.interfaces.web.customers.narrowed import profiles_of

router = Router(tags=["customers"])

Name = Annotated[str, text(120), Storable]
Longer = Annotated[str, text(400), Storable]


class IdentifierOut(Schema):
    id: int = Field(..., description="To take it off.")
    kind: IdentifierKind
    source: str
    value: str = Field(
        ..., description="Phones and e-mail addresses are masked; `unmask` shows one phone and is recorded."
    )
    shared: bool = Field(False, description="Another customer has it too and is the one who is found by it.")


class CustomerOut(Schema):
    """A person the chain knows."""

    id: int
    name: str
    gender: Gender
    birth_year: int | None
    birth_month: int | None
    birth_day: int | None
    occupation: str
    income_band: str
    city: str
    interests: str
    living: str
    allergies: str
    source: str = Field(..., description="Where she first came from.")
    home_store: str | None = Field(None, description="Code of her store.")
    adviser_id: int | None
    known_on: dt.date
    identifiers: list[IdentifierOut]
    tags: list[str]


class CustomerQuery(PageQuery):
    """Whom to find; several words narrow."""

    phone: Annotated[str, text(40), Storable] = Field("", description="The whole number, or its last four digits.")
    name: Name = Field("", description="A part of the name, or the beginning of its pinyin or initials.")
    external_id: Annotated[str, text(200), Storable] = Field("", description="Her id in another system.")
    source: Annotated[str, text(60), Storable] = Field("", description="With `external_id`: which system.")
    card_number: Annotated[str, text(80), Storable] = Field("", description="The number of her card, whole.")
    union_id: Annotated[str, text(200), Storable] = Field("", description="Her WeChat union id, whole.")
    wecom_id: Annotated[str, text(200), Storable] = Field("", description="Her WeCom external_userid, whole.")
    store: Annotated[str, text(60), Storable] = Field("", description="Code of her home store.")
    care: Literal["", "no_adviser", "never_contacted", "broken_promise"] = Field(
        "", description="Who slips through: nobody's customer, never contacted, or promised and not kept."
    )


class Profile(Input):
    """What may be known of a person; every field may be left out."""

    gender: Literal["f", "m", ""] | None = None
    birth_year: Annotated[int, Field(ge=1900, le=2200)] | None = None
    birth_month: Annotated[int, Field(ge=1, le=12)] | None = None
    birth_day: Annotated[int, Field(ge=1, le=31)] | None = None
    occupation: Name | None = None
    income_band: Annotated[str, text(60), Storable] | None = None
    city: Name | None = None
    interests: Longer | None = None
    living: Longer | None = None
    allergies: Longer | None = None
    adviser_id: Id | None = Field(None, description="Id of a person of the staff, from GET /api/v1/staff.")

    def changes(self) -> dict[str, object]:
        """The fields that were sent. A text set to null is an empty one."""
        given = self.model_dump(exclude_unset=True, exclude={"adviser_id", "home_store", "name", "phone", "email"})
        texts = set(given) - {"birth_year", "birth_month", "birth_day"}
        return {field: "" if value is None and field in texts else value for field, value in given.items()}


class ExternalId(Input):
    source: Code
    value: Annotated[str, text(200, empty=False), Storable]


class CustomerIn(Profile):
    """A person the chain has not met before. Name or phone must be there."""

    name: Name = ""
    phone: Annotated[str, text(40), Storable] = Field("", description="However it is written.")
    email: Annotated[str, text(200), Storable] = ""
    share: bool = Field(
        False,
        description="She is another person than the one whom this phone, e-mail or account finds: hers too, kept as "
        "shared. It goes on finding the other.",
    )
    external_ids: Annotated[list[ExternalId], Field(max_length=20)] = []
    wecom_id: Annotated[str, text(200), Storable] = ""
    union_id: Annotated[str, text(200), Storable] = Field("", description="Of WeChat: one person in all applications.")
    card_number: Annotated[str, text(200), Storable] = ""
    source: Annotated[str, text(80), Storable] = Field("", description="Where she came from: 路过, 大众点评, a friend.")
    home_store: Code = Field(..., description="Code of her store.")
    referrer: CustomerRef | None = Field(None, description="The customer who brought her; she must be known.")

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "name": "张三",
                    "phone": "138 0000 7831",
                    "home_store": "JA",
                    "source": "大众点评",
                    "external_ids": [{"source": "till", "value": "M-2201"}],
                }
            ]
        }
    }

    def changes(self) -> dict[str, object]:
        return {
            field: value
            for field, value in super().changes().items()
            if field not in {"external_ids", "wecom_id", "union_id", "card_number", "source", "share", "referrer"}
        }


class CustomerPatch(Profile):
    """The fields to change; the others stay."""

    name: Name | None = None
    home_store: Code | None = None

    model_config = {"json_schema_extra": {"examples": [{"allergies": "酒精", "birth_month": 3, "birth_day": 8}]}}


class IdentifierIn(Input):
    """A further name of hers: a second phone, an e-mail, a WeCom id, a union id, a card, her number in a system."""

    kind: IdentifierKind
    value: Annotated[str, text(200, empty=False), Storable]
    source: Annotated[str, text(60), Storable] = Field("", description="Of `external`: which system speaks.")
    share: bool = Field(False, description="Another has this phone, e-mail or account: both use it.")

    model_config = {"json_schema_extra": {"examples": [{"kind": "phone", "value": "139 0000 7831"}]}}


class Unmask(Input):
    """Why somebody wants to see the whole number."""

    reason: Literal["call", "message", "verify", "other"] = "call"


class Phone(Schema):
    phone: str = Field(..., description="E.164, such as +8613800007831; empty if there is none.")


@router.get("", response=Page[CustomerOut], operation_id="get_customers", summary="Find customers")
def get_customers(request: HttpRequest, query: Query[CustomerQuery]) -> dict[str, Any]:
    """The customers of your stores, oldest first: all, or those that fit."""
    scope = actor(request).scope_for(Capability.CUSTOMER_VIEW)
    rows = _found(query).for_scope(scope).filter(**LIVING)
    if query.care:  # the list that the page shows with the same filter
        slipping = profiles_of(Filters(care=query.care), scope).order_by()
        rows = rows.filter(pk__in=slipping.values("customer"))
    if (after := position(query.cursor, int)) is not None:
        rows = rows.filter(pk__gt=after[0])
    people = list(rows.order_by("id").select_related("home_store").prefetch_related("tags")[: query.limit + 1])
    names, values = _names(people)
    return page(people, query.limit, ends=lambda one: [one.pk], show=lambda one: _told(one, names[one.pk], values))


@router.get("/{int:customer_id}", response=CustomerOut, operation_id="get_customer", summary="One customer")
def get_customer(request: HttpRequest, customer_id: int) -> CustomerOut:
    """One customer of your stores."""
    return _shown(customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id))


@router.post(
    "",
    response={201: CustomerOut},
    operation_id="post_customer",
    summary="Write a customer down",
)
def post_customer(request: HttpRequest, body: CustomerIn) -> CustomerOut:
    """Write down somebody new. A phone, e-mail or external id that is known already is refused with 409; with `share`
    a phone, e-mail or WeCom id is kept as shared."""
    scope = actor(request).scope_for(Capability.CUSTOMER_EDIT)
    store = Named(the_chain(), scope, stores=[body.home_store]).store(body.home_store)
    alone = scope.adviser is not None and store.pk not in (scope.store_ids or ())  # else she would not see her herself
    names = [reference("external", one.value, one.source) for one in body.external_ids]
    others = {"wecom": body.wecom_id, "unionid": body.union_id, "card": body.card_number}
    names += [reference(kind, value) for kind, value in others.items() if value.strip()]
    try:
        with transaction.atomic():
            customer = register(
                name=body.name,
                phone=body.phone,
                email=body.email,
                source=body.source,
                home_store=store,
                adviser=_adviser(scope.adviser if alone and body.adviser_id is None else body.adviser_id),
                profile={field: value for field, value in body.changes().items() if value is not None},
                share=body.share,
                by=by(request),
                now=dt.datetime.now(dt.UTC),
            )
            add_identifiers(customer, names, share=body.share)
            if body.referrer is not None:
                brought = meant(body.referrer, scope)
                name_referrer(customer.pk, brought, by=by(request), now=dt.datetime.now(dt.UTC))
    except PhoneKnown as known:
        if Customer.objects.for_scope(scope).filter(pk=known.customer_id).exists():
            raise
        raise IdentifierTaken(value=body.phone or body.email) from None  # whose it is, is not yours to know
    return _shown(customer)


@router.patch(
    "/{int:customer_id}",
    response=CustomerOut,
    operation_id="patch_customer",
    summary="Change a customer",
)
def patch_customer(request: HttpRequest, customer_id: int, body: CustomerPatch) -> CustomerOut:
    """Change the fields that are sent. An event `customer.changed` says which, not what they held."""
    who, now = actor(request), dt.datetime.now(dt.UTC)
    scope = who.scope_for(Capability.CUSTOMER_EDIT)
    customer = customer_in(scope, customer_id)
    changes = body.changes()
    if body.name is not None:
        changes["name"] = body.name
    if body.home_store is not None:
        changes["home_store"] = Named(the_chain(), scope, stores=[body.home_store]).store(body.home_store)
    if "adviser_id" in body.model_fields_set:
        changes["adviser"] = _adviser(body.adviser_id)
    if not changes:
        raise Invalid(field="body", reason="send at least one field to change")
    if (moving := sorted(OF_HOME & changes.keys())) and not is_of(scope, customer):
        raise Invalid(field=moving[0], reason="her home store says whose she is")
    with transaction.atomic():
        customer = change(customer.pk, changes, by=by(request), now=now)
        _recorded("customer.changed", customer, who, {"fields": sorted(changes)}, now=now)
    return _shown(customer)


@router.post(
    "/{int:customer_id}/identifiers",
    response={201: CustomerOut},
    operation_id="post_identifier",
    summary="Add a phone or a number of hers",
)
def post_identifier(request: HttpRequest, customer_id: int, body: IdentifierIn) -> CustomerOut:
    """One that is hers already changes nothing. Another's is refused with 409; with `share` a phone, e-mail or account
    is kept as shared and goes on finding the other."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_EDIT), customer_id)
    if body.kind == IdentifierKind.EXTERNAL and not body.source.strip():
        raise Invalid(field="source", reason="say which system the number is of")
    add_name(
        customer,
        body.kind,
        body.value,
        source=body.source,
        share=body.share,
        by=by(request),
        now=dt.datetime.now(dt.UTC),
    )
    return _shown(customer)


@router.delete(
    "/{int:customer_id}/identifiers/{int:identifier_id}",
    response=CustomerOut,
    operation_id="delete_identifier",
    summary="Take a phone or a number off",
)
def delete_identifier(request: HttpRequest, customer_id: int, identifier_id: int) -> CustomerOut:
    """It names her no more; what was recorded under it stays hers. Whoever shares it is found by it from now on. The
    number of another system stays (409): its next file would bring her again under it."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_EDIT), customer_id)
    remove_name(customer, identifier_id, by=by(request), now=dt.datetime.now(dt.UTC))
    return _shown(customer)


@router.post(
    "/{int:customer_id}/unmask",
    response=Phone,
    operation_id="unmask_phone",
    summary="See the whole phone number",
)
def unmask_phone(request: HttpRequest, customer_id: int, body: Unmask) -> Phone:
    """The whole number of one customer. That it was looked at, by whom and why, is an event and a line of the trail."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW_PHONE), customer_id)
    return Phone(phone=unmask(customer, reason=body.reason, by=by(request), now=dt.datetime.now(dt.UTC)))


def _found(query: CustomerQuery) -> ScopedQuerySet[Customer]:
    rows: ScopedQuerySet[Customer] = Customer.objects.all()
    if query.phone:
        rows = _with_phone(rows, query.phone)
    if query.name:
        rows = _with_name(rows, rules.clean_name(query.name).lower())
    if query.external_id:
        numbers = Identifier.objects.filter(kind="external", value=query.external_id)
        numbers = numbers.filter(source=query.source) if query.source else numbers
        rows = rows.filter(pk__in=numbers.annotate(person=PERSON_OF).values("person"))
    for kind, value in (
        (IdentifierKind.CARD, query.card_number),
        (IdentifierKind.UNIONID, query.union_id),
        (IdentifierKind.WECOM, query.wecom_id),
    ):
        if value.strip():
            hers = Identifier.objects.filter(named(kind, value.strip())).annotate(person=PERSON_OF)
            rows = rows.filter(pk__in=hers.values("person"))
    if query.store:
        rows = rows.filter(home_store__code=query.store)
    return rows


def _with_phone(rows: ScopedQuerySet[Customer], phone: str) -> ScopedQuerySet[Customer]:
    if len(phone) == 4 and phone.isascii() and phone.isdigit():
        return rows.filter(pk__in=with_phone_tail(phone))
    try:
        rules.normal_phone(phone)
    except ValueError as error:
        raise Invalid(field="phone", reason=str(error)) from None
    return rows.filter(pk__in=with_phone(phone))


def _with_name(rows: ScopedQuerySet[Customer], name: str) -> ScopedQuerySet[Customer]:
    if any(rules.HAN.match(letter) for letter in name):
        return rows.filter(name_grams__contains=rules.grams(name))
    plain = name.replace(" ", "")
    return rows.filter(Q(pinyin__startswith=plain) | Q(initials__startswith=plain))


def _adviser(staff_id: int | None) -> Staff | None:
    if staff_id is None:
        return None
    person = Staff.objects.filter(pk=staff_id, is_active=True).first()
    if person is None:
        raise UnknownStaff(value=staff_id)
    return person


def _recorded(kind: str, customer: Customer, who: Actor, data: dict[str, object], *, now: dt.datetime) -> None:
    record(
        kind,
        customer=customer,
        store=customer.home_store,
        staff=who.staff,
        data={**data, "by": who.name},
        source_key=f"{kind}:{customer.pk}:{who.name}:{now.isoformat()}",
        happened_at=now,
        now=now,
        time_zone=the_chain().time_zone,
    )


def told(ids: Collection[int]) -> list[CustomerOut]:
    """These customers, for a route that has asked whose they are."""
    people = list(Customer.objects.filter(pk__in=ids).select_related("home_store").prefetch_related("tags"))
    names, values = _names(people)
    return [_told(one, names[one.pk], values) for one in people]


def _shown(one: Customer) -> CustomerOut:
    names, values = _names([one])
    return _told(one, names[one.pk], values)


def _names(people: Sequence[Customer]) -> tuple[dict[int, list[Identifier]], Mapping[int, str]]:
    """The identifiers of all records of these people, by person, and what they say."""
    names: dict[int, list[Identifier]] = {one.pk: [] for one in people}
    rows = Identifier.objects.filter(customer__in=records_of([*names])).annotate(person=PERSON_OF).order_by("pk")
    for one in rows:
        names[one.person].append(one)
    return names, values_of(one for some in names.values() for one in some)


def _told(one: Customer, names: Sequence[Identifier], known: Mapping[int, str]) -> CustomerOut:
    return CustomerOut(
        id=one.pk,
        name=one.name,
        gender=Gender(one.gender),
        birth_year=one.birth_year,
        birth_month=one.birth_month,
        birth_day=one.birth_day,
        occupation=one.occupation,
        income_band=one.income_band,
        city=one.city,
        interests=one.interests,
        living=one.living,
        allergies=one.allergies,
        source=one.source,
        home_store=one.home_store.code if one.home_store else None,
        adviser_id=one.adviser_id,
        known_on=one.known_on,
        identifiers=[_identifier(name, known[name.pk]) for name in names],
        tags=sorted(tag.name for tag in one.tags.all()),
    )


def _identifier(one: Identifier, value: str) -> IdentifierOut:
    shown = rules.masked(one.kind, value)
    return IdentifierOut(id=one.pk, kind=IdentifierKind(one.kind), source=one.source, value=shown, shared=one.shared)
