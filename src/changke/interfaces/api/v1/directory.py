"""What a machine has to know before it sends: stores, staff and their codes; items are a file of their own."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from changke.foundation.access.models import Role, Staff
from changke.foundation.access.queries import scope_of
from changke.foundation.organisation.models import Store
from changke.interfaces.api.actors import actor
from changke.interfaces.api.paging import Page, PageQuery, page, position

router = Router(tags=["directory"])


class StoreOut(Schema):
    code: str
    name: str
    region: str
    time_zone: str
    opening_days: list[int]
    """ISO weekdays, 1 is Monday."""
    is_open: bool


class StaffOut(Schema):
    id: int
    code: str
    name: str
    role: Role
    stores: list[str]
    """Codes; empty for those who see the whole chain."""


@router.get("/stores", response=Page[StoreOut], operation_id="get_stores", summary="List stores")
def get_stores(request: HttpRequest, part: Query[PageQuery]) -> dict[str, Any]:
    """The stores you may see, by code."""
    rows = Store.objects.for_scope(scope_of(actor(request).who)).select_related("region").order_by("code")
    if (after := position(part.cursor, str)) is not None:
        rows = rows.filter(code__gt=after[0])
    return page(list(rows[: part.limit + 1]), part.limit, ends=lambda one: [one.code], show=_store)


@router.get("/staff", response=Page[StaffOut], operation_id="get_staff", summary="List staff")
def get_staff(request: HttpRequest, part: Query[PageQuery]) -> dict[str, Any]:
    """Active staff: of the whole chain for owner and headquarters, else of your stores."""
    scope = scope_of(actor(request).who)
    rows = Staff.objects.filter(is_active=True).prefetch_related("stores").order_by("id")
    if scope.places is not None:
        rows = rows.filter(stores__in=scope.places).distinct()
    if (after := position(part.cursor, int)) is not None:
        rows = rows.filter(pk__gt=after[0])
    return page(list(rows[: part.limit + 1]), part.limit, ends=lambda one: [one.pk], show=_staff)


def _store(one: Store) -> StoreOut:
    return StoreOut(
        code=one.code,
        name=one.name,
        region=one.region.name if one.region else "",
        time_zone=one.time_zone,
        opening_days=one.opening_days,
        is_open=one.is_open,
    )


def _staff(one: Staff) -> StaffOut:
    codes = [] if scope_of(one).whole_chain else sorted(store.code for store in one.stores.all())
    return StaffOut(id=one.pk, code=one.code, name=one.name, role=Role(one.role), stores=codes)
