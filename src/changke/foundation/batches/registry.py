"""What can be done to many at once, by kind of batch: run it, say before an undo what goes and what stays, undo it.

A package registers its kinds in a module `batches.py`, which is found by being there. Undoing writes the tables of its
own rooms only, in their services.
"""

import datetime as dt
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from changke.foundation.access.capabilities import Capability
from changke.foundation.registry import Registry


@dataclass(frozen=True)
class Example:
    """One thing that stays, to show what is meant: whose field, what it holds, what stood there before."""

    customer_id: int
    name: str
    field: str
    holds: object
    held: object


@dataclass(frozen=True)
class Part:
    """`count` things of one sort (`code`, in words at the roof). Of what stays, the code is also the reason."""

    code: str
    count: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Undo:
    """What an undo would do, before anybody decides: `goes` is taken back, `stays` cannot be, and why."""

    goes: tuple[Part, ...] = ()
    stays: tuple[Part, ...] = field(default=())

    @property
    def filled(self) -> "Undo":
        return Undo(tuple(part for part in self.goes if part.count), tuple(part for part in self.stays if part.count))


@dataclass(frozen=True)
class BatchKind:
    """The verbs of one kind. `run` may be called again after a kill: nothing comes twice. `undo` too."""

    run: Callable[[int, dt.datetime], None]
    undo: Callable[[int, dt.datetime], int]
    before_undo: Callable[[int], Undo]
    needs: Capability
    """Who may run one."""
    undo_needs: Capability


_registry: Registry[BatchKind] = Registry("kinds of batches", BatchKind)


def register(key: str, kind: BatchKind) -> BatchKind:
    return _registry.register(key, kind)


def kind_of(key: str) -> BatchKind:
    """The verbs of a batch's kind; the packages are read at the first call."""
    discover()
    return _registry[key]


def kinds() -> tuple[str, ...]:
    discover()
    return tuple(_registry)


def discover() -> None:
    """Import the `batches.py` of every package. Importing twice is Python's no-op."""
    for app in apps.get_app_configs():
        if not app.name.startswith("changke."):
            continue
        for room in pkgutil.iter_modules(app.module.__path__, f"{app.name}."):  # type: ignore[union-attr]
            if room.ispkg and find_spec(f"{room.name}.batches"):
                import_module(f"{room.name}.batches")
