"""Whether the stores are well: customers, deals, loyalty and profit month by month, and where the circle breaks."""

import datetime as dt

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.models import Store
from changke.interfaces.api.actors import actor
from changke.interfaces.api.v1.stages import StoreQuery, narrowed
from changke.profiles.lifecycle.health import LINKS, StoreHealth, health_of

router = Router(tags=["stages"])


class LinkOut(Schema):
    link: str = Field(..., description=", ".join(LINKS))
    value: int | None = Field(
        None,
        description="Of the last whole month: customers who bought, days with a deal, basis points of an earlier"
        " quarter's customers who came back, profit of each buyer in minor units.",
    )
    before: int | None = Field(None, description="The same month a year before, else the middle of three months.")
    change_bp: int | None = None
    of_others: int | None = Field(None, description="The middle store of the chain; of loyalty and profit.")
    is_weak: bool


class StoreMonthOut(Schema):
    day: dt.date
    buyers: int
    newcomers: int
    deal_days: int
    base: int = Field(..., description="Who had bought here in the 90 days that end 90 days before `day`.")
    came_back: int = Field(..., description="Of them, who bought anywhere in the 90 days up to `day`.")
    margin_minor: int | None
    revenue_minor: int
    margin_known_minor: int = Field(..., description="The part of the revenue of which a profit is known.")


class StoreHealthOut(Schema):
    store: str
    breaks_at: str = Field(..., description="The first weak link; empty where none is.")
    links: list[LinkOut]
    months: list[StoreMonthOut]


@router.get("", response=list[StoreHealthOut], operation_id="get_store_health", summary="Whether the stores are well")
def get_store_health(request: HttpRequest, query: Query[StoreQuery]) -> list[StoreHealthOut]:
    """Of your stores, 13 whole months at most, of customers who are known."""
    scope = narrowed(actor(request).scope_for(Capability.ANALYTICS_VIEW), query.store)
    codes = dict(Store.objects.values_list("pk", "code"))
    return [_shown(one, codes[one.store_id]) for one in health_of(scope) if one.store_id in codes]


def _shown(one: StoreHealth, code: str) -> StoreHealthOut:
    return StoreHealthOut(
        store=code,
        breaks_at=one.breaks_at,
        links=[
            LinkOut(
                link=link.name,
                value=link.value,
                before=link.before,
                change_bp=link.change_bp,
                of_others=link.of_others,
                is_weak=link.is_weak,
            )
            for link in one.links
        ],
        months=[
            StoreMonthOut(
                day=month.day,
                buyers=month.buyers,
                newcomers=month.newcomers,
                deal_days=month.deal_days,
                base=month.base,
                came_back=month.came_back,
                margin_minor=month.margin_minor,
                revenue_minor=month.revenue_minor,
                margin_known_minor=month.known_minor,
            )
            for month in one.months
        ],
    )
