"""The catalogue by hand: items and categories added and changed, each change with its line.

What an item is counts from the day it is said: receipts were reckoned when they came in and stay as they are
(docs/algorithms/money.md).
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from django.db import IntegrityError, transaction

from changke.facts.catalog import rules
from changke.facts.catalog.models import Category, Item
from changke.foundation.audit.rules import HOUSE, By, Values
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid, NotFound

AT_ONCE = 100
"""Items of one transaction of a change of many: a fifth of a second."""


class ItemCodeTaken(DomainError):
    code, status = "item_code_taken", 409
    message = "There is already an item with the code %(code)s. Change that one, or choose another code."


class CategoryNameTaken(DomainError):
    code, status = "category_name_taken", 409
    message = "There is already a category %(name)s. Change that one, or choose another name."


class UnknownCategory(DomainError):
    code, status = "unknown_category", 404
    message = "There is no category %(name)s. Add it first, with its margin."


class ChangedMeanwhile(DomainError):
    """Somebody else changed the same field since the asker looked."""

    code, status = "changed_meanwhile", 409
    message = "Meanwhile somebody else changed this. Look at what stands there now, then save again."

    def __init__(self, *, fields: Sequence[str]) -> None:
        self.fields = fields
        super().__init__()


class CategoryAsked(DomainError):
    code, status = "category_asked", 409
    message = "%(users)s asks for the category %(name)s by its name: let it ask for something else first."


Askers = Callable[[str], list[str]]
"""The name of a category -> who asks for it by that name."""

_askers: list[Askers] = []


def register_askers(askers: Askers) -> Askers:
    """Keep the name of a category that a later room asks for. Later rooms register when they are imported."""
    _askers.append(askers)
    return askers


@transaction.atomic
def add_item(*, code: str, name: str, by: By = HOUSE, now: dt.datetime, **more: object) -> Item:
    """A new item. `more`: kind, category (a Category or None), price_minor, unit_cost_minor, usual_cycle_days,
    is_active.

    Raises
    ------
    ItemCodeTaken
        If the code names another item: files and tills find an item by it.
    Invalid
        For a value that cannot be so, with its field.
    """
    values = rules.of_item({"code": code, "name": name, **more})
    item = Item(**values)
    try:
        with transaction.atomic():
            item.save(force_insert=True)
    except IntegrityError:
        raise ItemCodeTaken(code=item.code) from None
    after = {"code": item.code, **as_audited(item)}
    record(by=by, action="item.added", subject=f"item:{item.pk}", after=after, now=now)
    return item


@transaction.atomic
def change_item(
    item_id: int,
    changes: Mapping[str, object],
    *,
    seen: Mapping[str, object] | None = None,
    by: By = HOUSE,
    now: dt.datetime,
) -> Item:
    """Change what is named. The code stays: files and tills find the item by it.

    `seen` is what the asker saw in these fields; one that holds something else now is refused as ChangedMeanwhile.
    """
    if "code" in changes:
        raise Invalid(field="code", reason="stays as it is: files and tills find the item by it")
    values = rules.of_item(changes)
    item = Item.objects.select_for_update().filter(pk=item_id).first()
    if item is None:
        raise NotFound
    _require_as_seen(item, values, seen)
    _change(item, values, by=by, now=now)
    return item


def change_items(item_ids: Sequence[int], changes: Mapping[str, object], *, by: By = HOUSE, now: dt.datetime) -> int:
    """The same change for many, some at a time; how many held something else before. Safe to repeat."""
    values = rules.of_item(changes)
    if "code" in values or "name" in values:
        raise Invalid(field="items", reason="code and name are each item's own")
    changed = 0
    for start in range(0, len(item_ids), AT_ONCE):
        some = item_ids[start : start + AT_ONCE]
        with transaction.atomic():
            for item in Item.objects.select_for_update().filter(pk__in=some).order_by("pk"):
                changed += _change(item, values, by=by, now=now)
    return changed


@transaction.atomic
def add_category(*, name: str, margin_basis_points: int | None = None, by: By = HOUSE, now: dt.datetime) -> Category:
    """A new category; `margin_basis_points` counts for its items without a cost of their own."""
    category = Category(**rules.of_category({"name": name, "margin_basis_points": margin_basis_points}))
    try:
        with transaction.atomic():
            category.save(force_insert=True)
    except IntegrityError:
        raise CategoryNameTaken(name=category.name) from None
    record(by=by, action="category.added", subject=f"category:{category.pk}", after=as_audited(category), now=now)
    return category


@transaction.atomic
def change_category(
    category_id: int,
    changes: Mapping[str, object],
    *,
    seen: Mapping[str, object] | None = None,
    by: By = HOUSE,
    now: dt.datetime,
) -> Category:
    """Another name or margin. `seen` as for an item.

    Raises
    ------
    CategoryAsked
        If it is to be called otherwise, and somebody asks for it by its name.
    CategoryNameTaken, ChangedMeanwhile, Invalid
    """
    values = rules.of_category(changes)
    category = Category.objects.select_for_update().filter(pk=category_id).first()
    if category is None:
        raise NotFound
    _require_as_seen(category, values, seen)
    if values.get("name", category.name) != category.name:
        _require_unasked(category.name)
    before = as_audited(category)
    for name, value in values.items():
        setattr(category, name, value)
    try:
        with transaction.atomic():
            category.save()
    except IntegrityError:
        raise CategoryNameTaken(name=category.name) from None
    record(
        by=by, action="category.changed", subject=f"category:{category.pk}", before=before, after=as_audited(category),
        now=now,
    )  # fmt: skip
    return category


def category_named(name: str | None) -> Category | None:
    """The category of that name; nothing is none. Raises UnknownCategory."""
    if name is None or not name.strip():
        return None
    plain = rules.line(name, field="category", longest=rules.LONGEST_CATEGORY)
    found = Category.objects.filter(name=plain).first()
    if found is None:
        raise UnknownCategory(name=plain)
    return found


def as_audited(one: Item | Category) -> Values:
    """What an audit line keeps of it."""
    if isinstance(one, Category):
        return {"name": one.name, "margin_basis_points": one.margin_basis_points}
    return {
        "name": one.name,
        "item_kind": str(one.kind),
        "category": one.category_id,
        "price_minor": one.price_minor,
        "unit_cost_minor": one.unit_cost_minor,
        "usual_cycle_days": one.usual_cycle_days,
        "is_active": one.is_active,
    }


def as_changes(held: Mapping[str, object]) -> dict[str, object]:
    """What a line kept of an item, as a change takes it; a category that is gone is none."""
    changes = {"kind" if name == "item_kind" else name: value for name, value in held.items() if name != "code"}
    if changes.get("category") is not None:
        changes["category"] = Category.objects.filter(pk=str(changes["category"])).first()
    return changes


def _change(item: Item, values: Mapping[str, object], *, by: By, now: dt.datetime) -> bool:
    before = as_audited(item)
    for name, value in values.items():
        setattr(item, name, value)
    after = as_audited(item)
    if after == before:
        return False
    item.save()
    record(by=by, action="item.changed", subject=f"item:{item.pk}", before=before, after=after, now=now)
    return True


def _require_unasked(name: str) -> None:
    if users := sorted({user for askers in _askers for user in askers(name)}):
        raise CategoryAsked(users=", ".join(users), name=name)


def _require_as_seen(one: Item | Category, values: Mapping[str, object], seen: Mapping[str, object] | None) -> None:
    differing = [
        name
        for name, wanted in values.items()
        if seen is not None and name in seen and getattr(one, name) not in (seen[name], wanted)
    ]
    if differing:
        raise ChangedMeanwhile(fields=differing)
