"""A sheet goes in: categories first, then items, each by the verb of the catalogue and with its line in the trail."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from django.db import transaction

from changke.facts.catalog.models import Category
from changke.facts.catalog.services.keep import add_category, add_item, change_category, change_item
from changke.foundation.audit.rules import By
from changke.foundation.errors import DomainError
from changke.interfaces.catalogue.planning import CategoryStep, Plan, Step
from changke.interfaces.catalogue.sheet import Bad, in_words

AT_ONCE = 100
"""Items of one transaction: a fifth of a second."""

T = TypeVar("T")


@dataclass
class Done:
    """What came of a sheet. Of a dry run, what would come of it."""

    created: int = 0
    changed: int = 0
    same: int = 0
    categories_created: int = 0
    categories_changed: int = 0
    bad: list[Bad] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def writes(self) -> bool:
        """Whether there is anything that changes."""
        return any((self.created, self.changed, self.categories_created, self.categories_changed))


def would(plan: Plan) -> Done:
    new = sum(one.category is None for one in plan.categories)
    return Done(
        plan.created, plan.changed, plan.same, new, len(plan.categories) - new, list(plan.bad), list(plan.unread)
    )


def carry_out(plan: Plan, *, by: By, now: dt.datetime) -> Done:
    """Do it. What somebody else did meanwhile costs its row, and no other one. Safe to repeat: the same sheet again
    says what stands there."""
    done = Done(same=plan.same, bad=list(plan.bad), unread=list(plan.unread))
    for some in _some(plan.categories):
        with transaction.atomic():
            for one in some:
                _one(done, one, by=by, now=now)
    for steps in _some(plan.steps):
        with transaction.atomic():
            known = {one.name: one for one in Category.objects.filter(name__in={step.category for step in steps})}
            for step in steps:
                _item(done, step, known, by=by, now=now)
    return done


def _one(done: Done, step: CategoryStep, *, by: By, now: dt.datetime) -> None:
    try:
        with transaction.atomic():
            if step.category is None:
                add_category(name=step.name, margin_basis_points=step.margin, by=by, now=now)
                done.categories_created += 1
            else:
                change_category(step.category.pk, {"margin_basis_points": step.margin}, by=by, now=now)
                done.categories_changed += 1
    except DomainError as refused:
        done.bad.append(Bad(step.row.sheet, step.row.line, "", step.name, in_words(refused)))


def _item(done: Done, step: Step, known: dict[str, Category], *, by: By, now: dt.datetime) -> None:
    changes = dict(step.changes)
    if step.category is not None:
        changes["category"] = known.get(step.category)
    try:
        with transaction.atomic():
            if step.item is None:
                add_item(code=step.code, name=step.name, **changes, by=by, now=now)
                done.created += 1
            else:
                change_item(step.item.pk, changes, by=by, now=now)
                done.changed += 1
    except DomainError as refused:
        done.bad.append(Bad(step.row.sheet, step.row.line, "", step.code, in_words(refused)))


def _some(steps: list[T]) -> Iterator[list[T]]:
    left = iter(steps)
    while some := list(islice(left, AT_ONCE)):
        yield some
