"""The catalogue: items and categories, read by everybody with a key, kept by whoever may."""

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from pydantic import StrictBool, StrictInt

from changke.facts.catalog import rules
from changke.facts.catalog.models import Category, Item, ItemKind
from changke.facts.catalog.queries import Wanted, items_of
from changke.facts.catalog.services import keep
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.queries import allows
from changke.foundation.errors import NotFound
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Input, Minor, Storable, text
from changke.interfaces.api.paging import Page, PageQuery, page, position

router = Router(tags=["catalogue"])

LATER = "It counts for receipts that come in from now on; those that are in stay as they were reckoned."
ItemCode = Annotated[str, text(rules.LONGEST_CODE, empty=False), Storable]
Name = Annotated[str, text(rules.LONGEST_NAME, empty=False), Storable]
CategoryName = Annotated[str, text(rules.LONGEST_CATEGORY, empty=False), Storable]
Days = Annotated[StrictInt, Field(ge=1, le=rules.LONGEST_CYCLE_DAYS)]
BasisPoints = Annotated[StrictInt, Field(ge=0, le=rules.WHOLE_BASIS_POINTS)]


class ItemOut(Schema):
    code: str
    name: str
    kind: ItemKind
    category: str
    price_minor: int | None
    unit_cost_minor: int | None = Field(
        ..., description="What one costs; null where unknown, and for whoever may not keep the catalogue."
    )
    currency: str
    usual_cycle_days: int | None
    is_active: bool


class ItemsQuery(PageQuery):
    kind: ItemKind | None = None
    category: Annotated[str, text(rules.LONGEST_CATEGORY), Storable] = Field("", description="Its name.")
    q: Annotated[str, text(100), Storable] = Field("", description="In the name or the code.")
    attention: bool = Field(False, description="Only items in use whose kind is `other` or whose margin is unknown.")


class ItemChange(Input):
    """Only what is sent changes; null empties."""

    name: Name = Field("", validate_default=False)
    kind: ItemKind = Field(ItemKind.OTHER)
    category: CategoryName | None = Field(None, description="The name of a category that is there; null: none.")
    price_minor: Minor | None = None
    unit_cost_minor: Minor | None = Field(None, description="What one costs. Of a card or a top-up it does not count.")
    usual_cycle_days: Days | None = None
    is_active: StrictBool = True

    model_config = {"json_schema_extra": {"examples": [{"kind": "service", "category": "面部护理"}]}}


class ItemIn(ItemChange):
    code: ItemCode
    name: Name

    model_config = {"json_schema_extra": {"examples": [{"code": "F9", "name": "肩颈舒缓", "kind": "service"}]}}


class CategoryOut(Schema):
    id: int
    name: str
    margin_basis_points: int | None = Field(
        ..., description="In 1/100 percent; null where unknown, and for whoever may not keep the catalogue."
    )


class CategoryChange(Input):
    """Only what is sent changes; null empties."""

    name: CategoryName = Field("", validate_default=False)
    margin_basis_points: BasisPoints | None = Field(None, description="6000 is 60 %.")

    model_config = {"json_schema_extra": {"examples": [{"margin_basis_points": 6000}]}}


class CategoryIn(CategoryChange):
    name: CategoryName

    model_config = {"json_schema_extra": {"examples": [{"name": "身体", "margin_basis_points": 6000}]}}


@router.get("/items", response=Page[ItemOut], operation_id="get_items", summary="List the catalogue")
def get_items(request: HttpRequest, part: Query[ItemsQuery]) -> dict[str, Any]:
    """Services, products, cards and top-ups of the chain, by code."""
    wanted = Wanted(text=part.q, kind=part.kind or "", category=part.category, care=part.attention)
    rows = items_of(wanted).order_by("code")
    if (after := position(part.cursor, str)) is not None:
        rows = rows.filter(code__gt=after[0])
    show = shower(request)
    return page(list(rows[: part.limit + 1]), part.limit, ends=lambda one: [one.code], show=show)


@router.post("/items", response={201: ItemOut}, operation_id="post_item", summary="Add an item")
def post_item(request: HttpRequest, body: ItemIn) -> ItemOut:
    """409 where the code names an item already. A category must be there: `POST /categories` adds one."""
    actor(request).scope_for(Capability.CATALOG_MANAGE)
    return shower(request)(keep.add_item(**_changes(body), by=by(request), now=_now()))


@router.get("/items/{path:code}", response=ItemOut, operation_id="get_item", summary="One item")
def get_item(request: HttpRequest, code: str) -> ItemOut:
    """By its code, which may hold any character, also a slash."""
    return shower(request)(item_by(code))


@router.patch(
    "/items/{path:code}", response=ItemOut, operation_id="patch_item", summary="Change an item", description=LATER
)
def patch_item(request: HttpRequest, code: str, body: ItemChange) -> ItemOut:
    actor(request).scope_for(Capability.CATALOG_MANAGE)
    keep.change_item(item_by(code).pk, _changes(body), by=by(request), now=_now())
    return shower(request)(item_by(code))


@router.get(
    "/categories", response=list[CategoryOut], operation_id="get_categories", summary="Categories and their margins"
)
def get_categories(request: HttpRequest) -> list[CategoryOut]:
    """All of them, by name."""
    told = sees_costs(request)
    return [category_out(one, told=told) for one in Category.objects.order_by("name")]


@router.post("/categories", response={201: CategoryOut}, operation_id="post_category", summary="Add a category")
def post_category(request: HttpRequest, body: CategoryIn) -> CategoryOut:
    """Its margin counts for its items without a cost of their own."""
    actor(request).scope_for(Capability.CATALOG_MANAGE)
    values = body.model_dump(exclude_unset=True)
    return category_out(keep.add_category(**values, by=by(request), now=_now()), told=True)


@router.patch(
    "/categories/{int:category_id}", response=CategoryOut, operation_id="patch_category", summary="Change a category",
    description=f"{LATER} 409 where a segment asks for it by the name that it is to lose.",
)  # fmt: skip
def patch_category(request: HttpRequest, category_id: int, body: CategoryChange) -> CategoryOut:
    actor(request).scope_for(Capability.CATALOG_MANAGE)
    values = body.model_dump(exclude_unset=True)
    return category_out(keep.change_category(category_id, values, by=by(request), now=_now()), told=True)


def sees_costs(request: HttpRequest) -> bool:
    return allows(actor(request).who, Capability.CATALOG_MANAGE)


def item_by(code: str) -> Item:
    found = Item.objects.select_related("category").filter(code=code).first() if "\0" not in code else None
    if found is None:
        raise NotFound
    return found


def shower(request: HttpRequest) -> Callable[[Item], ItemOut]:
    """Item -> what this caller is told of it."""
    currency, told = the_chain().currency, sees_costs(request)

    def show(one: Item) -> ItemOut:
        return ItemOut(
            code=one.code,
            name=one.name,
            kind=ItemKind(one.kind),
            category=one.category.name if one.category else "",
            price_minor=one.price_minor,
            unit_cost_minor=one.unit_cost_minor if told else None,
            currency=currency,
            usual_cycle_days=one.usual_cycle_days,
            is_active=one.is_active,
        )

    return show


def category_out(one: Category, *, told: bool) -> CategoryOut:
    return CategoryOut(id=one.pk, name=one.name, margin_basis_points=one.margin_basis_points if told else None)


def _changes(body: ItemChange) -> dict[str, Any]:
    values = body.model_dump(exclude_unset=True)
    if "category" in values:
        values["category"] = keep.category_named(values["category"])
    return values


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
