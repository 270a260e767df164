"""What the lifecycle page draws, as data: who stood where at each month end, what they brought, where they went."""

import datetime as dt

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import NotFound
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.api.actors import actor
from changke.interfaces.api.v1.stages import StoreQuery, narrowed
from changke.profiles.attributes.queries import days_at
from changke.profiles.lifecycle.needs import needs_of
from changke.profiles.lifecycle.queries import Count, before_days, by_day, counts, flows, models_in_use, profits
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.lifecycle.times import times_in
from changke.profiles.value.profit import NOTHING, Profit

router = Router(tags=["stages"])


class StageOnDayOut(Schema):
    stage: str
    customers: int
    value_minor: int = Field(..., description="Their value at risk, in minor units.")
    margin_minor: int | None = Field(
        None, description="What they brought since the day before of the series: profit; null where none is known."
    )
    revenue_minor: int = Field(..., description="What was rendered in these days, less what was given back.")
    margin_known_minor: int = Field(..., description="The part of the revenue of which a profit is known.")


class DayOut(Schema):
    """A month's last day, or the latest day that was counted."""

    day: dt.date
    since: dt.date | None = Field(
        None, description="The day of the series before: money is of the days after it. null: of the month of `day`."
    )
    stages: list[StageOnDayOut]


class SeriesOut(Schema):
    model: str
    currency: str
    days: list[DayOut]


class FlowOut(Schema):
    since: dt.date
    day: dt.date
    from_stage: str = Field(..., description="Empty: not known yet on the earlier day.")
    to_stage: str = Field(..., description="The same as `from_stage`: she stayed.")
    customers: int
    value_minor: int


class SeriesQuery(StoreQuery):
    since: dt.date | None = Field(None, description="The first day wanted.")
    until: dt.date | None = Field(None, description="The last day wanted.")

    def holds(self, day: dt.date) -> bool:
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)


@router.get(
    "/{model}/series",
    response=SeriesOut,
    operation_id="get_stage_series",
    summary="Customers, value and profit per stage over time",
)
def get_stage_series(request: HttpRequest, model: str, query: Query[SeriesQuery]) -> SeriesOut:
    """Every month end that is computed, 36 at most, and the latest day; of your stores. 404 for a model not in use."""
    scope = narrowed(actor(request).scope_for(Capability.ANALYTICS_VIEW), query.store)
    found = in_use(model)
    table, brought = by_day(counts(model, scope)), profits(model, scope)
    days = []
    for day, since in before_days().items():
        if not query.holds(day):
            continue
        here, money = table.get(day, {}), brought.get(day, {})
        stages = [_stage(one.key, here.get(one.key), money.get(one.key, NOTHING)) for one in found.stages]
        days.append(DayOut(day=day, since=since, stages=stages))
    return SeriesOut(model=model, currency=the_chain().currency, days=days)


@router.get(
    "/{model}/flows", response=list[FlowOut], operation_id="get_stage_flows", summary="Who went from stage to stage"
)
def get_stage_flows(request: HttpRequest, model: str, query: Query[SeriesQuery]) -> list[FlowOut]:
    """How many of your stores' customers stood in a stage on a day of the series, and in which on the day before."""
    scope = narrowed(actor(request).scope_for(Capability.ANALYTICS_VIEW), query.store)
    in_use(model)
    days = [day for day in before_days() if query.holds(day)]
    return [
        FlowOut(
            since=one.before,
            day=one.day,
            from_stage=one.from_stage,
            to_stage=one.to_stage,
            customers=one.customers,
            value_minor=one.value_minor,
        )
        for one in flows(model, scope, days=days)
    ]


class TimeOut(Schema):
    """Median days over a sample of the stage; null with fewer than five."""

    stage: str
    now_days: int | None = Field(None, description="How long those who stand there now have been there.")
    now_of: int = Field(..., description="Customers of the sample behind it.")
    left_days: int | None = Field(None, description="How long those had been there who left it in the last 365 days.")
    left_of: int


class TimesOut(Schema):
    model: str
    as_of: dt.date | None = Field(None, description="The day of the sample; null before the first.")
    stages: list[TimeOut]


class NeedOut(Schema):
    what: str = Field(..., description="Name of a tag or an item; code of a cause.")
    customers: int
    share: float = Field(..., description="Of the stage's customers who were asked.")
    share_of_all: float = Field(..., description="The same share over all stages.")


class NeedsOut(Schema):
    """What is known of those who stand in a stage, the most common first, six of a kind at most."""

    stage: str
    customers: int = Field(..., description="Customers asked: all, or every n-th where there are more than 20,000.")
    tags: list[NeedOut]
    proposed: list[NeedOut] = Field(..., description="What stands first among what is proposed to them.")
    bought: list[NeedOut] = Field(..., description="In the last 90 days.")
    causes: list[NeedOut] = Field(..., description="What may drive them away, of open warnings.")


@router.get("/{model}/times", response=TimesOut, operation_id="get_stage_times", summary="How long customers stay")
def get_stage_times(request: HttpRequest, model: str, query: Query[StoreQuery]) -> TimesOut:
    """Of your stores' customers among a sample of the chain, taken every night."""
    scope = narrowed(actor(request).scope_for(Capability.ANALYTICS_VIEW), query.store)
    told = times_in(in_use(model), scope)
    return TimesOut(model=model, as_of=told.as_of, stages=[TimeOut.from_orm(one) for one in told.stages])


@router.get("/{model}/needs", response=list[NeedsOut], operation_id="get_stage_needs", summary="What a stage needs")
def get_stage_needs(request: HttpRequest, model: str, query: Query[StoreQuery]) -> list[NeedsOut]:
    """Need tags, what is proposed, what is bought and what may drive them away, of your stores' customers."""
    scope = narrowed(actor(request).scope_for(Capability.ANALYTICS_VIEW), query.store)
    today = days_at(timezone.now(), the_chain()).chain
    return [
        NeedsOut(
            stage=one.stage,
            customers=one.customers,
            **{kind: [NeedOut.from_orm(need) for need in needs] for kind, needs in one.told.items()},
        )
        for one in needs_of(in_use(model), scope, today=today)
    ]


def in_use(model: str) -> LifecycleModel:
    """Raises NotFound for a model that is not in use."""
    found = next((one for one in models_in_use() if one.key == model), None)
    if found is None:
        raise NotFound
    return found


def _stage(key: str, count: Count | None, profit: Profit) -> StageOnDayOut:
    return StageOnDayOut(
        stage=key,
        customers=count.customers if count else 0,
        value_minor=count.value_minor if count else 0,
        margin_minor=profit.margin_minor,
        revenue_minor=profit.revenue_minor,
        margin_known_minor=profit.known_minor,
    )
