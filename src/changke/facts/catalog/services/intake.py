"""Items that a file names and the catalogue does not know yet."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from changke.facts.catalog.models import Category, Item

AT_ONCE = 2_000


@dataclass(frozen=True)
class NewItem:
    """`code` names it in the catalogue; a file without codes uses the name."""

    code: str
    name: str
    kind: str = "other"
    category: str = ""


def take_in_items(items: Iterable[NewItem]) -> int:
    """Add what is not there, by code; how many were offered. What the catalogue knows about an item is never
    changed."""
    waiting: list[NewItem] = []
    offered = 0
    for item in items:
        waiting.append(item)
        if len(waiting) == AT_ONCE:
            offered += _write(waiting)
            waiting = []
    return offered + _write(waiting)


@transaction.atomic
def _write(items: list[NewItem]) -> int:
    names = {item.category for item in items if item.category}
    Category.objects.bulk_create([Category(name=name) for name in sorted(names)], ignore_conflicts=True)
    categories = {each.name: each for each in Category.objects.filter(name__in=names)}
    Item.objects.bulk_create(
        [
            Item(code=item.code, name=item.name, kind=item.kind, category=categories.get(item.category))
            for item in items
        ],
        ignore_conflicts=True,
    )
    return len(items)
