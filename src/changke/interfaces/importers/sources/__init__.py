"""Old systems whose exports we know: one folder each, found by being here. They do not know each other.

A source is a package with `KEY` (its name in receipt and member numbers: never change it), `WORDS` in three languages
and `PARTS`, in the order in which they are asked. Its `rules.py` is the pure mapping. A sample of each export lies
under `tests/interfaces/importers/samples/<key>/`.
"""

import pkgutil
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Protocol, cast

from changke.foundation.registry import Registry
from changke.interfaces.importers.parts import Part, Turned


class Source(Protocol):
    KEY: str
    WORDS: Mapping[str, str]
    PARTS: Sequence[Part]


def is_source(thing: object) -> bool:
    return all(hasattr(thing, wanted) for wanted in ("KEY", "WORDS", "PARTS"))


SOURCES: Registry[Source] = Registry("import sources", is_source)
for _found in pkgutil.iter_modules(__path__):
    if _found.ispkg:
        _module = cast(Source, import_module(f"{__name__}.{_found.name}"))
        SOURCES.register(_module.KEY, _module)

MIXED = "mixed"
"""Kind of a batch whose sheets are of several kinds."""


def understood(names: Sequence[str], *, kind: str = "", only: str = "") -> Turned | None:
    """The sheet with these column names as one of our sources; None where it is nobody's.

    `only` is the source that the person chose. Without it a `kind` that the person chose must fit: whoever says
    "these are visits" is believed.
    """
    for key, source in SOURCES.all.items():
        if only and key != only:
            continue
        for part in source.PARTS:
            fits = bool(only) or kind in ("", MIXED, part.kind)
            if fits and (part.is_turned(names) or part.recognises(names)):
                return Turned(key, part, tuple(names))
    return None
