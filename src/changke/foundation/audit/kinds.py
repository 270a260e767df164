"""What the trail covers, by registry: every table of settings and rules, how it is said, and how it is put back.

A room says in its `audited.py`, which is found by being there, which of its tables hold settings or rules (`register`)
and which do not and why (`leave_out`). Tables of facts need neither: a fact is its own record. A house test fails for
a table of which nobody said anything, and for a verb that writes an audited table without a line.
"""

import datetime as dt
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

from django.apps import apps

from changke.foundation.audit.rules import By, Values
from changke.foundation.registry import Registry

Now = Callable[[str], Values | None]
"""What the thing of that key holds now, as its lines write it; None where it is gone."""


@dataclass(frozen=True)
class Kind:
    """One kind of thing whose changes are written down.

    `key` is the first half of a line's subject: `store` of `store:3`. With `now` and `restore` the values before a
    change can be put back; `restore(key, values, by=, now=)` calls the room's own verb, which refuses what is wrong
    and writes its own line.
    """

    key: str
    tables: tuple[str, ...]
    needs: str = ""
    """The capability that changing it asks for, beside the one for restoring."""
    now: Now | None = None
    restore: "Restore | None" = None
    only: frozenset[str] = frozenset()
    """The fields that can be put back, where a line may also hold others."""


class Restore(Protocol):
    """The shape of a verb that puts values back."""

    def __call__(self, key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None: ...


_kinds: Registry[Kind] = Registry("audited kinds", Kind)
_left_out: dict[str, str] = {}


def register(kind: Kind) -> Kind:
    return _kinds.register(kind.key, kind)


def leave_out(table: str, because: str) -> None:
    """Say why changes of this table are not written down."""
    _left_out[table] = because


def kinds() -> Mapping[str, Kind]:
    """All of them by key; the rooms are read at the first call."""
    discover()
    return _kinds.all


def left_out() -> Mapping[str, str]:
    discover()
    return dict(_left_out)


def kind_of(subject: str) -> Kind | None:
    """The kind that `store:3` is of."""
    return kinds().get(subject.partition(":")[0])


def discover() -> None:
    """Import the `audited.py` of every room. Importing twice is Python's no-op."""
    for app in apps.get_app_configs():
        if not app.name.startswith("changke."):
            continue
        for room in pkgutil.iter_modules(app.module.__path__, f"{app.name}."):  # type: ignore[union-attr]
            if room.ispkg and find_spec(f"{room.name}.audited"):
                import_module(f"{room.name}.audited")
