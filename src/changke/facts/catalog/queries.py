"""The catalogue as whoever keeps it looks at it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from changke.facts.catalog.models import Category, Item, ItemKind
from changke.facts.catalog.rules import WITH_COST

NEEDS_CARE = Q(is_active=True) & (
    Q(kind=ItemKind.OTHER)
    | (
        Q(kind__in=sorted(WITH_COST), unit_cost_minor__isnull=True)
        & (Q(category__isnull=True) | Q(category__margin_basis_points__isnull=True))
    )
)
"""Sold, and yet nobody said what it is, or its margin stays unknown."""


@dataclass(frozen=True)
class Wanted:
    """Which items are asked for; what is not said is not asked."""

    text: str = ""
    """In the name or the code."""
    ids: Sequence[int] | None = None
    """Of further items that fit the text, found in another way."""
    kind: str = ""
    category_id: int | None = None
    category: str = ""
    care: bool = False
    is_active: bool | None = None


def items_of(wanted: Wanted) -> QuerySet[Item]:
    """By name; items of one name by number."""
    rows = Item.objects.select_related("category").order_by("name", "pk")
    if text := wanted.text.strip().replace("\0", ""):
        rows = rows.filter(Q(name__icontains=text) | Q(code__icontains=text) | Q(pk__in=wanted.ids or ()))
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.category_id is not None:
        rows = rows.filter(category_id=wanted.category_id)
    if wanted.category:
        rows = rows.filter(category__name=wanted.category)
    if wanted.is_active is not None:
        rows = rows.filter(is_active=wanted.is_active)
    return rows.filter(NEEDS_CARE) if wanted.care else rows


def count_in_need() -> int:
    return Item.objects.filter(NEEDS_CARE).count()


def count_of_unknown_kind() -> int:
    """Items in use of which nobody said what they are."""
    return Item.objects.filter(is_active=True, kind=ItemKind.OTHER).count()


@dataclass(frozen=True)
class Held:
    """A category with what is in it."""

    category: Category
    items: int
    without_cost: int
    """Of these, items in use of a kind that is rendered and without a cost: for them the margin of the category
    counts."""


def categories_held() -> list[Held]:
    """Every category by name."""
    mine = Item.objects.filter(category__isnull=False).order_by().values("category_id")
    counts = {
        one["category_id"]: (one["all"], one["bare"])
        for one in mine.annotate(
            all=Count("pk"),
            bare=Count("pk", filter=Q(is_active=True, unit_cost_minor__isnull=True, kind__in=sorted(WITH_COST))),
        )
    }
    return [Held(one, *counts.get(one.pk, (0, 0))) for one in Category.objects.order_by("name")]


def named(words: Iterable[str]) -> tuple[dict[str, Item], dict[str, list[Item]]]:
    """By code and by name, whatever of these the catalogue knows."""
    wanted = set(words)
    by_name: dict[str, list[Item]] = {}
    for item in Item.objects.select_related("category").filter(name__in=wanted).order_by("pk"):
        by_name.setdefault(item.name, []).append(item)
    coded = Item.objects.select_related("category").filter(code__in=wanted)
    return {item.code: item for item in coded}, by_name
