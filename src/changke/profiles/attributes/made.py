"""Attributes that are made from their names alone when a stage model asks for them: deeds in a window, events in a
window, tags and consents of a day."""

from collections.abc import Iterable
from typing import Any

from changke.engine.definitions import Column
from changke.engine.definitions.definition import Definition
from changke.profiles.attributes import agreed, deeds, happened, worn


def is_made(name: str) -> bool:
    return deeds.is_deed(name) or worn.is_worn(name) or happened.is_event(name) or agreed.is_consent(name)


def column_of(name: str) -> Column:
    """Of a name that is made."""
    if worn.is_worn(name):
        return worn.column_of(name)
    if happened.is_event(name):
        return happened.column_of(name)
    return agreed.column_of(name) if agreed.is_consent(name) else deeds.column_of(name)


def tree_of(name: str) -> dict[str, Any] | None:
    """The question in the words of conditions. None: the name does not say it, as that of a tag does not."""
    if happened.is_event(name):
        return happened.tree_of(name)
    if agreed.is_consent(name):
        return agreed.tree_of(name)
    return deeds.tree_of(name) if deeds.is_deed(name) else None


def definitions_of(names: Iterable[str]) -> list[Definition]:
    known = list(names)
    return [one for room in (deeds, worn, happened, agreed) for one in room.definitions_of(known)]
