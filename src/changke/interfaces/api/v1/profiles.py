"""Who a customer is now, and where she stood on any day and why."""

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.translation import get_language, gettext
from ninja import Field, Query, Router, Schema

from changke.facts.consents.queries import personalised
from changke.facts.customers.queries import customer_in
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date
from changke.foundation.persons.registry import family_of
from changke.interfaces import proposals
from changke.interfaces.api.actors import actor
from changke.interfaces.api.fields import Storable, text
from changke.interfaces.api.v1.expected import PredictionOut
from changke.profiles.affinity.queries import proposed_to
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.lifecycle.rules import LANGUAGES
from changke.profiles.lifecycle.services.explain import Asked, explain
from changke.profiles.value.queries import prediction_of

router = Router(tags=["profiles"])


class Attribute(Schema):
    """One thing known of her. Money is in minor units of the currency."""

    type: str = Field(..., description="int, days, money, date, text, ...")
    words: str = Field(..., description="What it means, in the language of `Accept-Language`.")
    value: Any = Field(None, description="null: unknown.")


class ProfileOut(Schema):
    customer_id: int
    as_of: dt.date
    stage: str
    currency: str
    attributes: dict[str, Attribute]
    expected: PredictionOut | None = Field(
        None, description="What is expected of her; null before the first night, and of somebody who never bought."
    )


class Comparison(Schema):
    """`text` is what conditions call the attribute, where its name does not say it: of a tag, `tag has "…"`."""

    attribute: str
    text: str
    op: str
    asked: Any
    known: Any
    holds: bool


class RuleOut(Schema):
    """A rule of the model, in the order in which they are asked; the last one shown is hers."""

    stage: str
    fits: bool
    comparisons: list[Comparison]


class BandOut(Schema):
    stage: str
    first: dt.date
    last: dt.date


class StagesOut(Schema):
    customer_id: int
    as_of: dt.date
    model: str
    stage: str
    stage_words: str
    since: dt.date
    reason: str
    rules: list[RuleOut]
    stages: dict[str, str] = Field(..., description="Her stage in every model in use.")
    history: list[BandOut]


class ProposedOut(Schema):
    """Something to propose to her, best first."""

    item_code: str
    item_name: str
    chance_bp: int | None = Field(
        ...,
        description="Chance that it is in her next purchase, in basis points, among candidates; null where her past"
        " says nothing of it.",
    )
    reason: str = Field(
        ...,
        description="`again`, `due`, `alike`, `goes_with` or `popular`; `need`: a tag of hers asks for it; `group`: she"
        " has no past yet, and her group has it most.",
    )
    why: str = Field(..., description="The reason in words, in the language of `Accept-Language`.")
    times: int = Field(..., description="Days on which she had it; 0: new to her.")
    last_on: dt.date | None
    cycle_days: int | None = Field(..., description="After how many days it is usually wanted again.")
    alike: int = Field(..., description="Customers most like her who had it in the last 90 days, of `similar`.")
    similar: int
    goes_with: str | None = Field(..., description="Code of the item of her last purchase that it goes with.")
    tag: str | None = Field(None, description="The tag that asks for it.")
    tag_fact: str = Field("", description="From which fact the tag was read, as `receipt:12`.")
    group_trait: str | None = Field(None, description="`age`, `gender`, `home`, `all`, or `tag`: what wearers have.")
    group_value: str | None = None
    group_customers: int = Field(0, description="Members of the group who had it, of `group_members`.")
    group_members: int = 0
    recent_customers: int = Field(..., description="Customers who had it in the last 30 days.")


class StagesQuery(Schema):
    as_of: dt.date | None = Field(None, description="A day of the past, such as 2025-12-31; today if left out.")
    model: Annotated[str, text(40), Storable] = Field("", description="Key of a model; the default one if left out.")


@router.get("/{int:customer_id}", response=ProfileOut, operation_id="get_profile", summary="Her profile")
def get_profile(request: HttpRequest, customer_id: int) -> ProfileOut:
    """Every attribute of one customer with its type and its meaning. A new fact shows here within two seconds."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id)
    profile = Profile.objects.filter(pk=customer.pk).first()
    if profile is None:
        raise NotFound
    return ProfileOut(
        customer_id=customer.pk,
        as_of=profile.as_of,
        stage=profile.stage,
        currency=the_chain().currency,
        attributes={
            name: Attribute(type=column.type, words=gettext(column.words), value=getattr(profile, name))
            for name, column in sorted(REGISTRY.attributes.items())
        },
        expected=PredictionOut.from_orm(expected) if (expected := prediction_of(customer.pk)) else None,
    )


@router.get(
    "/{int:customer_id}/stages", response=StagesOut, operation_id="get_profile_stages", summary="Where she stood, why"
)
def get_stages(request: HttpRequest, customer_id: int, query: Query[StagesQuery]) -> StagesOut:
    """Her stage on a day, recomputed from the facts of that day: the reason in words and every rule that was asked."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id)
    now = dt.datetime.now(dt.UTC)
    store = customer.home_store
    today = business_date(now, store.time_zone if store else the_chain().time_zone)
    if query.as_of is not None and query.as_of > today:
        raise Invalid(field="as_of", reason="lies in the future")
    if query.model and query.model not in (known := [one.key for one in models_in_use()]):
        raise Invalid(field="model", reason="choose one of %(choices)s", choices=", ".join(known))
    told = explain(customer.pk, query.as_of or today, now=now, model=query.model or None)
    language = spoken()
    return StagesOut(
        customer_id=customer.pk,
        as_of=told.as_of,
        model=told.model.key,
        stage=told.stage,
        stage_words=told.model.stage(told.stage).words[language],
        since=told.since,
        reason=told.reason(language),
        rules=[_rule(one) for one in told.asked],
        stages=dict(told.stages),
        history=[BandOut(stage=band.stage, first=band.first, last=band.last) for band in told.bands],
    )


@router.get(
    "/{int:customer_id}/proposals",
    response=list[ProposedOut],
    operation_id="get_proposals",
    summary="What she may like next, and why",
)
def get_proposals(request: HttpRequest, customer_id: int) -> list[ProposedOut]:
    """What her tags ask for, then what she and customers like her bought (computed every night); whoever has not been
    seen for a year or has no lines yet gets what her group has most. Empty if she objected to being chosen for."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id)
    found = proposed_to(customer, personal=personalised(family_of(customer.pk), at=dt.datetime.now(dt.UTC)))
    return [
        ProposedOut(
            item_code=one.item.code,
            item_name=one.item.name,
            chance_bp=one.chance_bp,
            reason=one.reason,
            why=proposals.why(one),
            times=one.times,
            last_on=one.last_on,
            cycle_days=one.cycle_days,
            alike=one.alike,
            similar=one.similar,
            goes_with=one.goes_with.code if one.goes_with else None,
            recent_customers=one.recent_customers,
            tag=one.tag.name if one.tag else None,
            tag_fact=one.tag.fact if one.tag else "",
            group_trait=one.group.trait if one.group else None,
            group_value=one.group.value if one.group else None,
            group_customers=one.group.customers if one.group else 0,
            group_members=one.group.members if one.group else 0,
        )
        for one in found
    ]


def spoken() -> str:
    """The language of the answer, of those that models speak."""
    language = get_language() or LANGUAGES[0]
    return language if language in LANGUAGES else LANGUAGES[0]


def _rule(one: Asked) -> RuleOut:
    return RuleOut(
        stage=one.stage,
        fits=one.fits,
        comparisons=[
            Comparison(
                attribute=line.attribute,
                text=line.text,
                op=line.op,
                asked=line.asked,
                known=line.known,
                holds=line.holds,
            )
            for line in one.lines
        ],
    )
