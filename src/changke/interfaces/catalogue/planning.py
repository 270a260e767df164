"""What a sheet would create and change, compared with the catalogue as it stands; nothing is written here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.utils.translation import gettext

from changke.facts.catalog.models import Category, Item
from changke.facts.catalog.queries import named
from changke.facts.catalog.rules import LONGEST_CODE
from changke.interfaces.catalogue.sheet import MOST_ROWS, Bad, Row, read


@dataclass(frozen=True)
class Step:
    """One item: a new one where `item` is None. `changes` by column; the category by its name."""

    row: Row
    item: Item | None
    code: str
    name: str
    changes: Mapping[str, object]
    category: str | None = None
    """Which one it comes into; None leaves it."""


@dataclass(frozen=True)
class CategoryStep:
    """A category that is new, or whose margin changes."""

    row: Row
    category: Category | None
    name: str
    margin: int | None


@dataclass
class Plan:
    steps: list[Step] = field(default_factory=list)
    categories: list[CategoryStep] = field(default_factory=list)
    same: int = 0
    """Rows that say what stands there already."""
    bad: list[Bad] = field(default_factory=list)
    unread: Sequence[str] = ()

    @property
    def created(self) -> int:
        return sum(one.item is None for one in self.steps)

    @property
    def changed(self) -> int:
        return sum(one.item is not None for one in self.steps)


def plan_of(path: Path, name: str, *, currency: str, most: int = MOST_ROWS) -> Plan:
    """Raises a domain error for a file that cannot be used at all, UnreadableFile for one that nobody can read."""
    found = read(path, name, currency=currency, most=most)
    by_code, by_name = named(
        word for row in found.rows for said in (row.code, row.name) if said for word in (said, plain(said))
    )
    categories = _known({row.category for row in found.rows if row.category})
    plan = Plan(bad=found.bad, unread=found.unread)
    spoken: dict[object, Row] = {}
    margins: dict[str, tuple[int | None, Row]] = {}
    for said in found.rows:
        row = said if said.category in categories else replace(said, category=plain(said.category))
        if (problem := _clash(row, margins)) is not None:
            plan.bad.append(problem)
            continue
        item, problem = _meant(row, by_code, by_name)
        key: object = item.pk if item else plain(row.code or row.name)[:LONGEST_CODE]
        if problem is None and (before := spoken.get(key)) is not None:
            reason = gettext("speaks of the same item as row %(row)s: that one counts") % {"row": before.line}
            problem = Bad(row.sheet, row.line, "", row.code or row.name, reason)
        if problem is not None:
            plan.bad.append(problem)
            continue
        spoken[key] = row
        _category(plan, row, categories, margins)
        _item(plan, row, item)
    plan.bad.sort(key=lambda one: (one.sheet, one.line))
    return plan


def _known(names: set[str]) -> dict[str, Category]:
    """The categories of these names, as written or as they would be kept."""
    return {one.name: one for one in Category.objects.filter(name__in=names | {plain(one) for one in names})}


def plain(text: str) -> str:
    """As the catalogue would keep it; the reader has refused what it could not."""
    return " ".join(text.split())


def _meant(
    row: Row, by_code: Mapping[str, Item], by_name: Mapping[str, Sequence[Item]]
) -> tuple[Item | None, Bad | None]:
    """The item that a row means: by code, in a row without one by name. None is a new one."""
    if row.code:
        item = by_code.get(row.code) or by_code.get(plain(row.code))
        if item is None and not row.name:
            reason = gettext("nobody knows this code: write a name beside it, and it is added")
            return None, Bad(row.sheet, row.line, "", row.code, reason)
        return item, None
    alike = (
        by_name.get(row.name) or by_name.get(plain(row.name)) or ([by_code[row.name]] if row.name in by_code else [])
    )
    if len(alike) > 1:
        codes = ", ".join(one.code for one in alike[:5])
        reason = gettext("several items are called that: write the code (%(codes)s)") % {"codes": codes}
        return None, Bad(row.sheet, row.line, "", row.name, reason)
    return (alike[0] if alike else None), None


def _clash(row: Row, margins: dict[str, tuple[int | None, Row]]) -> Bad | None:
    """One category has one margin in a sheet."""
    if row.margin is None or row.category not in margins:
        return None
    margin, before = margins[row.category]
    if margin is None or margin == row.margin:
        return None
    reason = gettext("row %(row)s gives the category another margin: that one counts") % {"row": before.line}
    return Bad(row.sheet, row.line, "", row.category, reason)


def _category(plan: Plan, row: Row, known: Mapping[str, Category], margins: dict[str, tuple[int | None, Row]]) -> None:
    if not row.category:
        return
    before = margins.get(row.category)
    if before is not None and (before[0] is not None or row.margin is None):
        return
    margins[row.category] = (row.margin, row)
    category = known.get(row.category)
    plan.categories = [one for one in plan.categories if one.name != row.category]
    if category is None or (row.margin is not None and row.margin != category.margin_basis_points):
        plan.categories.append(CategoryStep(row, category, row.category, row.margin))


def _item(plan: Plan, row: Row, item: Item | None) -> None:
    if item is None:
        name = row.name or row.code
        code = plain(row.code or row.name)[:LONGEST_CODE]
        plan.steps.append(Step(row, None, code, name, row.changes, row.category or None))
        return
    said = dict(row.changes)
    if row.code and row.name and plain(row.name) != plain(item.name):
        said["name"] = row.name
    differing = {name: value for name, value in said.items() if getattr(item, name) != value}
    moves = bool(row.category) and (item.category is None or item.category.name != row.category)
    if differing or moves:
        plan.steps.append(Step(row, item, item.code, item.name, differing, row.category if moves else None))
    else:
        plan.same += 1
