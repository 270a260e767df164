"""What is expected of customers, how well it was learned, who stands where, and the chain's numbers for it."""

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from changke.facts.customers.queries import customer_in
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid, NotFound
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Id, Input, text
from changke.interfaces.api.paging import Page, PageQuery, page, position
from changke.interfaces.api.v1.expected import PredictionOut
from changke.interfaces.api.v1.stages import StoreQuery, narrowed
from changke.interfaces.web.customers.filters import Filters, Position
from changke.interfaces.web.customers.reads import along
from changke.profiles.value.grid import Grid, grid
from changke.profiles.value.lines import Held, Line, product_lines
from changke.profiles.value.models import Prediction, ValueFit, ValueRules
from changke.profiles.value.profit import MONTHS, MOST_MONTHS, months_of
from changke.profiles.value.queries import fits, fitted, prediction_of, value_rules
from changke.profiles.value.referrers import referrers
from changke.profiles.value.services.settings import change_value_rules

router = Router(tags=["value"])


class NewcomerOut(Schema):
    store_id: int | None
    customers: int = Field(..., description="Of whom it was learned.")
    p_active_bp: int = Field(..., description="Chance of a further purchase day within the horizon, basis points.")
    expected_purchases_milli: int


class FitOut(Schema):
    id: int
    fitted_at: dt.datetime
    observation_end: dt.date
    horizon_days: int
    customers: int
    purchase_days: int
    first_day: dt.date | None
    fallbacks: dict[str, str] = Field(..., description="Model -> why it could not learn freely.")
    holdout: dict[str, Any] | None = Field(
        None, description="How the same recipe met a past that was kept from it; null where there was too little."
    )
    margins: dict[str, Any] = Field(
        ..., description="What receipts say of the share that stays: share, known (of the revenue), weight_minor."
    )
    parameters: dict[str, Any] = Field(
        ...,
        description="As `changke.engine` reads them: `Fitted.from_json`. Of stores with models of their own, yours.",
    )
    chain_worth: int = Field(
        ...,
        description="As how many customers of a store the chain counts; 0 where stores have no models of their own.",
    )
    newcomers: list[NewcomerOut] = Field(
        ...,
        description="What is expected in the horizon of whoever has just bought for the first time: by the chain's"
        " models (store_id null), and by those of your stores that have some of their own.",
    )


class CellOut(Schema):
    recency: int
    frequency: int
    customers: int
    spent_minor: int = Field(..., description="Net spend of the last 365 days.")
    value_minor: int = Field(..., description="Annual value.")
    expected_minor: int = Field(..., description="Money expected within the horizon.")
    worth_minor: int = Field(..., description="Discounted worth over the years that the chain counts.")


class GridOut(Schema):
    """Scores count upward: the best is the last."""

    recency: int = Field(..., description="How many bands of recency there are.")
    frequency: int
    bounds: dict[str, list[int]]
    cells: list[CellOut]


class GridQuery(Schema):
    money: int | None = Field(None, ge=1, le=9, description="Only those of this band of money.")


class HeldOut(Schema):
    customers: int = Field(..., description="Who ever bought or used something of it.")
    bought: int = Field(..., description="Who did in the last 365 days.")
    before: int = Field(..., description="Who did in the 365 days before those.")
    stayed: int = Field(..., description="Who did in both.")
    held_days: int = Field(..., description="Days from the first to the last time, of all together.")
    spent_minor: int = Field(..., description="Amounts of its lines in the last 365 days.")
    expected_years: float | None = Field(
        None, description="How long a customer stays: 1 / (1 - stayed / before). null: the past shows no end."
    )


class LineBandOut(HeldOut):
    first: int
    last: int
    years_left: int | None = Field(None, description="On average, until the last of the ages of the line.")


class LineOut(HeldOut):
    category_id: int
    category: str
    age_from: int | None = Field(None, description="A twentieth of those who bought it this year are younger.")
    age_until: int | None = Field(None, description="A twentieth of them are older.")
    life_years: int | None = Field(None, description="The product life: from the one age to the other.")
    bands: list[LineBandOut]


class LinesOut(Schema):
    as_of: dt.date | None = Field(None, description="The day of the night that counted; null before the first.")
    lines: list[LineOut]
    fewest: int = Field(
        ...,
        description="Lines and ages with fewer customers are left out: 5 for whoever sees only some of a store's"
        " customers, such as an adviser her own; else 1.",
    )


class ValueRulesOut(Schema):
    horizon_days: int
    margin_percent: int | None = Field(
        None, description="For what receipts do not say. null: unknown, values are revenue unless receipts say it."
    )
    discount_percent: int
    worth_years: int = Field(..., description="How many years ahead the discounted worth counts.")
    calendar: str = Field(..., description="Whose holidays count that move from year to year: chinese or none.")
    bands: dict[str, list[int]] = Field(..., description="recency_days, frequency, money; else fifths.")
    target_age_from: int | None
    target_age_until: int | None


class ValueRulesIn(Input):
    horizon_days: int | None = None
    margin_percent: int | None = None
    discount_percent: int | None = None
    worth_years: int | None = None
    calendar: Literal["chinese", "none"] | None = None
    bands: dict[str, list[int]] | None = None
    target_age_from: int | None = None
    target_age_until: int | None = None

    model_config = {"json_schema_extra": {"examples": [{"margin_percent": 60}]}}


ORDERS = {"p_active": "outlook", "expected_purchases": "expected", "expected_spend": "money"}
"""Order of this list -> that of the customer list."""


class PredictionsQuery(PageQuery, StoreQuery):
    order: Literal["p_active", "expected_purchases", "expected_spend"] = Field(
        "p_active", description="The highest first."
    )
    stage: Annotated[str, text(40)] = Field("", description="Of the default model.")
    adviser_id: Id | None = None


@router.get("/customers", response=Page[PredictionOut], operation_id="get_predictions", summary="What is expected")
def get_predictions(request: HttpRequest, query: Query[PredictionsQuery]) -> dict[str, Any]:
    """Of your stores' customers who ever bought, the highest first: chance, purchases or money within the horizon."""
    scope = narrowed(actor(request).scope_for(Capability.CUSTOMER_VIEW), query.store)
    after = position(query.cursor, int, int)
    wanted = Filters(
        stages=(query.stage,) if query.stage else (),
        adviser=query.adviser_id,
        order=ORDERS[query.order],
        position=Position(str(after[0]), after[1]) if after else None,
    )
    # Whoever never bought stands at the end of the customer list; nothing is expected of her.
    found = [(pk, value) for pk, value in along(wanted, scope, size=query.limit + 1) if value is not None]
    about = Prediction.objects.in_bulk([pk for pk, _ in found])
    rows = [(value, about[pk]) for pk, value in found if pk in about]
    return page(
        rows, query.limit, ends=lambda row: [row[0], row[1].pk], show=lambda row: PredictionOut.from_orm(row[1])
    )


class TopReferrerOut(Schema):
    """A customer who brought others: her own value beside theirs."""

    customer_id: int
    referred_customers: int
    referral_value_minor: int = Field(..., description="What they spent, in all.")
    referral_value_365d_minor: int
    spent_minor: int = Field(..., description="What she spent herself.")


class ReferrersQuery(PageQuery, StoreQuery):
    pass


@router.get("/referrers", response=Page[TopReferrerOut], operation_id="get_referrers", summary="Who brought others")
def get_referrers(request: HttpRequest, query: Query[ReferrersQuery]) -> dict[str, Any]:
    """Of your stores' customers, the highest referral value first. One level, and never part of her own value."""
    scope = narrowed(actor(request).scope_for(Capability.CUSTOMER_VIEW), query.store)
    found = referrers(scope, after=position(query.cursor, int, int))
    return page(
        list(found[: query.limit + 1]),
        query.limit,
        ends=lambda one: [_referrer(one).referral_value_minor, one.pk],
        show=_referrer,
    )


def _referrer(one: Any) -> TopReferrerOut:
    return TopReferrerOut(
        customer_id=one.pk,
        referred_customers=one.referred_customers,
        referral_value_minor=one.referral_value,
        referral_value_365d_minor=one.referral_value_365d,
        spent_minor=one.net_spend,
    )


@router.get("/fits", response=list[FitOut], operation_id="get_value_fits", summary="What was learned, and how well")
def get_value_fits(request: HttpRequest) -> list[FitOut]:
    """The latest first; at most 50."""
    scope = actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return [_fit(one, scope) for one in fits()]


def _fit(fit: ValueFit, scope: Scope) -> FitOut:
    """A fit, with those stores of its own that one may see."""
    learned = fitted(fit)
    seen = learned.stores if scope.store_ids is None else learned.stores.of(scope.store_ids)
    plain = {name: getattr(fit, name) for name in FitOut.model_fields if hasattr(fit, name)}
    return FitOut(
        **{**plain, "parameters": {**fit.parameters, "stores": seen.as_json()}},
        chain_worth=round(learned.stores.worth),
        newcomers=[
            NewcomerOut(
                store_id=None if one.store is None else int(one.store),
                customers=fit.customers if one.store is None else one.customers,
                p_active_bp=round(one.comes * 10_000),
                expected_purchases_milli=round(one.days * 1_000),
            )
            for one in seen.newcomers(learned.models, learned.horizon_days)
        ],
    )


@router.get("/grid", response=GridOut, operation_id="get_value_grid", summary="Recency by frequency")
def get_value_grid(request: HttpRequest, query: Query[GridQuery]) -> GridOut:
    """How many of your stores' customers stand in each cell, and what they are worth."""
    found: Grid = grid(actor(request).scope_for(Capability.ANALYTICS_VIEW), money=query.money)
    cells = [
        CellOut(
            recency=r,
            frequency=f,
            **{name: getattr(cell, name) for name in CellOut.model_fields if hasattr(cell, name)},
        )
        for (r, f), cell in sorted(found.cells.items())
    ]
    return GridOut(
        recency=found.recency,
        frequency=found.frequency,
        bounds={name: list(some) for name, some in found.bounds.items()},
        cells=cells,
    )


@router.get("/lines", response=LinesOut, operation_id="get_product_lines", summary="Lives of product lines")
def get_product_lines(request: HttpRequest) -> LinesOut:
    """For which ages each category is and how long customers stay with it, of your stores' customers; counted by
    night. Stores are counted as a whole: whoever sees only some of their customers is told of no fewer than five
    together."""
    found = product_lines(actor(request).scope_for(Capability.ANALYTICS_VIEW))
    return LinesOut(as_of=found.as_of, lines=[_line(one) for one in found.lines], fewest=found.fewest)


def _line(line: Line) -> LineOut:
    ages = line.ages or (None, None)
    bands = [
        LineBandOut(first=one.first, last=one.last, years_left=one.years_left, **_held(one.held)) for one in line.bands
    ]
    return LineOut(
        category_id=line.category_id, category=line.name, age_from=ages[0], age_until=ages[1],
        life_years=line.life_years, bands=bands, **_held(line.held),
    )  # fmt: skip


def _held(held: Held) -> dict[str, Any]:
    return {name: getattr(held, name) for name in HeldOut.model_fields}


@router.get("/rules", response=ValueRulesOut, operation_id="get_value_rules", summary="The chain's numbers for values")
def get_value_rules(request: HttpRequest) -> ValueRules:
    """How far ahead, what stays of the money, the bands of the grid."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return value_rules()


@router.patch("/rules", response=ValueRulesOut, operation_id="patch_value_rules", summary="Change these numbers")
def patch_value_rules(request: HttpRequest, body: ValueRulesIn) -> ValueRulesOut:
    """What is left out stays; `null` makes a margin or the ages unknown. They hold from the next night on."""
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    changes = body.model_dump(exclude_unset=True)
    if not changes:
        raise Invalid(field="body", reason="send at least one field to change")
    return ValueRulesOut.from_orm(change_value_rules(changes, by=by(request), now=dt.datetime.now(dt.UTC)))


@router.get(
    "/customers/{int:customer_id}",
    response=PredictionOut,
    operation_id="get_prediction",
    summary="What is expected of her",
)
def get_prediction(request: HttpRequest, customer_id: int) -> Prediction:
    """404 before the first night, and of somebody who never bought."""
    scope = actor(request).scope_for(Capability.CUSTOMER_VIEW)
    found = prediction_of(customer_in(scope, customer_id).pk)
    if found is None:
        raise NotFound
    return found


class MonthOut(Schema):
    """From the day after the month before to `day`: a month's last day, or today."""

    day: dt.date
    margin_minor: int | None = Field(None, description="Profit; null where none is known.")
    revenue_minor: int = Field(..., description="What was rendered, less what was given back.")
    margin_known_minor: int = Field(..., description="The part of the revenue of which a profit is known.")


class MonthsQuery(Schema):
    months: int = Field(MONTHS, ge=1, le=MOST_MONTHS, description="With the running one.")


@router.get(
    "/customers/{int:customer_id}/profit",
    response=list[MonthOut],
    operation_id="get_customer_profit",
    summary="What she brought, month by month",
)
def get_customer_profit(request: HttpRequest, customer_id: int, query: Query[MonthsQuery]) -> list[MonthOut]:
    """The oldest month first; none before her first receipt."""
    scope = actor(request).scope_for(Capability.CUSTOMER_VIEW)
    customer = customer_in(scope, customer_id)
    zone = customer.home_store.time_zone if customer.home_store else the_chain().time_zone
    today = business_date(timezone.now(), zone)
    return [
        MonthOut(
            day=one.day,
            margin_minor=one.profit.margin_minor,
            revenue_minor=one.profit.revenue_minor,
            margin_known_minor=one.profit.known_minor,
        )
        for one in months_of(customer.pk, today=today, months=query.months)
    ]
