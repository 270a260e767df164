"""What goes together in your stores: pairs, what newcomers begin with, seasons, what each group has most."""

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from changke.facts.catalog.models import Item
from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.scope import Scope
from changke.interfaces.api.actors import actor
from changke.interfaces.api.v1.stages import StoreQuery, narrowed
from changke.interfaces.groups import GroupWords
from changke.profiles.affinity.models import AffinityFit
from changke.profiles.affinity.queries import affinity_fits
from changke.profiles.affinity.together import StandsOn, groups_of, pairs_of, seasons_of, stands_on, starters_of

router = Router(tags=["together"])


class BasisOut(Schema):
    """What the numbers stand on: customers at home in your stores, their receipts of two years."""

    as_of: dt.date | None = Field(None, description="The day of the night that counted; null before the first.")
    receipts: int
    with_lines: int = Field(..., description="Receipts that say which service or good was had.")
    first_on: dt.date | None = Field(None, description="The first of them in the years that seasons are read from.")
    customers: int
    baskets: int = Field(..., description="Days of customers.")
    fewest: int = Field(
        ...,
        description="What fewer customers had is left out: 5 for whoever sees some of a store's customers, else 1.",
    )


class PairOut(Schema):
    item_code: str
    item_name: str
    other_code: str
    other_name: str
    together: int
    had: int
    other_had: int
    lift_milli: int = Field(..., description="1000: as often as chance would have it.")
    lift_low_milli: int = Field(..., description="Its lower bound at 95 per cent; pairs have it above 1000.")


class PairsOut(BasisOut):
    among: str
    total: int = Field(..., description="Customers, or days of customers.")
    too_few: int = Field(..., description="Pairs that stand out over the chain and are too rare in these stores.")
    pairs: list[PairOut]


class PairsQuery(StoreQuery):
    among: Literal["customers", "baskets"] = Field("customers", description="Ever, or on one day.")


class StarterOut(Schema):
    item_code: str
    item_name: str
    other_code: str
    other_name: str
    customers: int = Field(..., description="Began with both, known for 90 days.")
    returned: int = Field(..., description="Of them, within 90 days.")
    alone: int = Field(..., description="Began with the first item and without the other.")
    alone_returned: int
    difference_bp: int = Field(..., description="Of the two rates of return. An observation, no experiment.")
    low_bp: int
    high_bp: int


class StartersOut(BasisOut):
    too_few: int
    starters: list[StarterOut]


class ItemSeasonOut(Schema):
    item_code: str
    item_name: str
    days: int = Field(..., description="On which it was had in a year around.")
    index_milli: list[int | None] = Field(
        ..., description="Of each month; 1000 is an even year. null: never seen a year before."
    )


class SeasonsOut(BasisOut):
    months: list[dt.date] = Field(..., description="First days of twelve months, from the one that has begun.")
    too_few: int = Field(..., description="Items had on too few days.")
    items: list[ItemSeasonOut]


class FavouriteOut(Schema):
    item_code: str
    item_name: str
    customers: int
    share_bp: int = Field(..., description="Of the group, drawn to everybody's with the weight of 50 customers.")
    everybody_bp: int


class GroupOut(Schema):
    value: str = Field(..., description="First age of ten years, `f` or `m`, or a stage.")
    words: str
    members: int = Field(..., description="Customers who had anything in the last 60 days.")
    favourites: list[FavouriteOut] = Field(..., description="Empty where the members are too few.")


class GroupsOut(BasisOut):
    by: str
    groups: list[GroupOut]


class GroupsQuery(StoreQuery):
    by: Literal["age", "gender", "stage"] = "age"


@router.get("/pairs", response=PairsOut, operation_id="get_pairs", summary="What goes together")
def get_pairs(request: HttpRequest, query: Query[PairsQuery]) -> PairsOut:
    """Had by the same customers, or on one day, more often than chance would have it; surest first."""
    scope = narrowed(actor(request).scope_for(Capability.ANALYTICS_VIEW), query.store)
    found = pairs_of(scope, among=query.among)
    numbers = ("together", "had", "other_had", "lift_milli", "lift_low_milli")
    pairs = [
        PairOut(**_items(one.item, one.other), **{name: getattr(one, name) for name in numbers}) for one in found.pairs
    ]
    return PairsOut(**_basis(scope), among=query.among, total=found.total, too_few=found.too_few, pairs=pairs)


@router.get("/starters", response=StartersOut, operation_id="get_starters", summary="What newcomers begin with")
def get_starters(request: HttpRequest, query: Query[StoreQuery]) -> StartersOut:
    """Two things on the first day, and who came back within 90 days, beside those who began with one alone."""
    scope = narrowed(actor(request).scope_for(Capability.ANALYTICS_VIEW), query.store)
    found = starters_of(scope)
    numbers = ("customers", "returned", "alone", "alone_returned", "difference_bp", "low_bp", "high_bp")
    starters = [
        StarterOut(**_items(one.item, one.other), **{name: getattr(one, name) for name in numbers})
        for one in found.starters
    ]
    return StartersOut(**_basis(scope), too_few=found.too_few, starters=starters)


@router.get("/seasons", response=SeasonsOut, operation_id="get_seasons", summary="What each month lifts")
def get_seasons(request: HttpRequest, query: Query[StoreQuery]) -> SeasonsOut:
    """The index of each item for twelve months, by the years before. Empty before a year and a half of receipts."""
    scope = narrowed(actor(request).scope_for(Capability.ANALYTICS_VIEW), query.store)
    found = seasons_of(scope)
    items = [
        ItemSeasonOut(
            item_code=one.item.code, item_name=one.item.name, days=one.days, index_milli=list(one.index_milli)
        )
        for one in found.items
    ]
    return SeasonsOut(**_basis(scope), months=list(found.months), too_few=found.too_few, items=items)


@router.get("/groups", response=GroupsOut, operation_id="get_group_favourites", summary="What each group has most")
def get_group_favourites(request: HttpRequest, query: Query[GroupsQuery]) -> GroupsOut:
    """Of the last 60 days, by age, gender or stage."""
    scope = narrowed(actor(request).scope_for(Capability.ANALYTICS_VIEW), query.store)
    said = GroupWords()
    groups = [
        GroupOut(
            value=group.value,
            words=said.of(query.by, group.value),
            members=group.members,
            favourites=[
                FavouriteOut(
                    item_code=one.item.code, item_name=one.item.name, customers=one.customers,
                    share_bp=one.share_bp, everybody_bp=one.everybody_bp,
                )
                for one in group.favourites
            ],
        )
        for group in groups_of(scope, trait=query.by)
    ]  # fmt: skip
    return GroupsOut(**_basis(scope), by=query.by, groups=groups)


class AffinityFitOut(Schema):
    """The card of the weights that a night proposed by."""

    id: int
    fitted_at: dt.datetime
    observation_end: dt.date
    first_day: dt.date | None
    customers: int
    items: int
    lines: int = Field(..., description="Things had on a day by a customer, of two years.")
    baskets: int = Field(..., description="Next purchases that it learnt from; 0: the shipped weights.")
    parameters: dict[str, Any] = Field(..., description="As `changke.engine.affinity.Weights.from_dict` reads them.")
    fallback: str = Field(..., description="few_baskets where the shipped weights hold; else empty.")
    holdout: dict[str, Any] | None = Field(
        None, description="How they met purchases that were kept from them, once a week; null where too few were."
    )
    examined_on: dt.date | None


@router.get(
    "/fits", response=list[AffinityFitOut], operation_id="get_affinity_fits", summary="What was learned, and how well"
)
def get_affinity_fits(request: HttpRequest) -> list[AffinityFit]:
    """The weights that the last nights proposed by, of the whole chain, the latest first; at most 60."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return affinity_fits(most=60)


def _basis(scope: Scope) -> dict[str, Any]:
    found = stands_on(scope)
    return {name: getattr(found, name) for name in StandsOn.__dataclass_fields__}


def _items(item: Item, other: Item) -> dict[str, Any]:
    return {"item_code": item.code, "item_name": item.name, "other_code": other.code, "other_name": other.name}
