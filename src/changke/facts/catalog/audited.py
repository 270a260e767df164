"""The catalogue by hand is audited; what a batch adds has the line of the batch."""

import datetime as dt
from collections.abc import Mapping

from changke.facts.catalog.models import Category, Item
from changke.facts.catalog.services.keep import as_audited, as_changes, change_category, change_item
from changke.foundation.audit.kinds import Kind, register
from changke.foundation.audit.rules import By, Values


def _item(key: str) -> Values | None:
    item = Item.objects.filter(pk=key).first()
    return as_audited(item) if item else None


def _restore_item(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    change_item(int(key), as_changes(values), by=by, now=now)


def _category(key: str) -> Values | None:
    category = Category.objects.filter(pk=key).first()
    return as_audited(category) if category else None


def _restore_category(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    change_category(int(key), values, by=by, now=now)


register(Kind("item", ("facts_item",), "catalog.manage", _item, _restore_item))
register(Kind("category", ("facts_category",), "catalog.manage", _category, _restore_category))
