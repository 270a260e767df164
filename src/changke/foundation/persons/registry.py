"""Every table with personal data, by registry: who exports a person or erases one asks here and forgets nothing.

A room registers its tables in a module `persons.py`, which is found by being there. A house test compares the registry
with the models: a table that points at a customer, or has a column of personal data, and that nobody registered fails
the build.
"""

import datetime as dt
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps

from changke.foundation.registry import Registry

Row = Mapping[str, object]


@dataclass(frozen=True)
class PersonTable:
    """What one room knows of a person.

    `export` yields her rows as plain values, in the order of time: ciphertext opened, codes as they are. `erase` takes
    out what says who she is and returns how many rows it changed. Both take the ids of a whole family, because persons
    who were merged are one. Without `erase` the rows stay, and `stays` is the code of the reason
    (`words.PERSON_STAYS`).
    """

    key: str
    tables: tuple[str, ...]
    export: Callable[[Sequence[int]], Iterator[Row]]
    erase: Callable[[Sequence[int]], int] | None = None
    stays: str = ""
    last: bool = False
    """Erased after all others: the key that they may still need."""


@dataclass(frozen=True)
class Human:
    """What this floor, which knows no customer, asks of the room of customers.

    `family` are her ids: herself and whoever is merged into her. `recorded` is the moment she was written down, None
    where there is nobody of this number or she was erased already. `suppress` puts her addresses on the list.
    """

    family: Callable[[int], tuple[int, ...]]
    recorded: Callable[[int], str | None]
    suppress: Callable[[Sequence[int], str, dt.datetime], int]


_human: list[Human] = []


def register_human(human: Human) -> None:
    if _human:
        raise ValueError("the room of customers registers once")
    _human.append(human)


def human() -> Human:
    discover()
    return _human[0]


def family_of(person_id: int) -> tuple[int, ...]:
    """Herself and everybody merged into her: export, consent and erasure take all of them."""
    return human().family(person_id)


_registry: Registry[PersonTable] = Registry("tables with personal data", PersonTable)


def register(table: PersonTable) -> PersonTable:
    """Add a table. One that is neither erased nor says why it stays is refused."""
    if (table.erase is None) == (not table.stays):
        raise ValueError(f"{table.key}: give `erase`, or `stays` with the reason why its rows stay")
    return _registry.register(table.key, table)


@dataclass(frozen=True)
class Joining:
    """What one room does when two records of a person are joined, beside being read through the link: only rooms that
    keep today's state about her need it.

    `carry(merged, into)` takes over and returns what it needs to know later, as plain JSON; `give_back(merged, into,
    kept)` undoes that. Both write their own tables, in the caller's transaction.
    """

    key: str
    carry: Callable[[int, int], Any]
    give_back: Callable[[int, int, Any], None]


_joinings: Registry[Joining] = Registry("what is carried over when two records are joined", Joining)


def register_joining(one: Joining) -> Joining:
    return _joinings.register(one.key, one)


def joinings() -> list[Joining]:
    discover()
    return [_joinings[key] for key in sorted(_joinings)]


_indexes: dict[str, Callable[[int], int]] = {}


def register_index(table: str, again: Callable[[int], int]) -> None:
    """A table with blind indexes: `again(most)` makes the next of them with the current key and says how many."""
    _indexes[table] = again


def indexes() -> list[Callable[[int], int]]:
    discover()
    return list(_indexes.values())


def person_tables() -> list[PersonTable]:
    """All of them by key, those that go last at the end; the rooms are read at the first call."""
    discover()
    return sorted((_registry[key] for key in _registry), key=lambda one: one.last)


def discover() -> None:
    """Import the `persons.py` of every room. Importing twice is Python's no-op."""
    for app in apps.get_app_configs():
        if not app.name.startswith("changke."):
            continue
        for room in pkgutil.iter_modules(app.module.__path__, f"{app.name}."):  # type: ignore[union-attr]
            if room.ispkg and find_spec(f"{room.name}.persons"):
                import_module(f"{room.name}.persons")
