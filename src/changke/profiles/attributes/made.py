"""Attributes that are made from their names alone when a stage model asks for them: deeds in a window, tags of a
day."""

from collections.abc import Iterable

from changke.engine.definitions.definition import Definition
from changke.profiles.attributes import deeds, worn


def is_made(name: str) -> bool:
    return deeds.is_deed(name) or worn.is_worn(name)


def definitions_of(names: Iterable[str]) -> list[Definition]:
    known = list(names)
    return [*deeds.definitions_of(known), *worn.definitions_of(known)]
