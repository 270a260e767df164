"""Sources of deliveries: one folder each, found by being here. They do not know each other."""

import pkgutil
from importlib import import_module
from typing import cast

from changke.foundation.registry import Registry
from changke.interfaces.webhooks.told import Source

WANTED = ("KEY", "WORDS", "MAKES_SECRET", "HAS_CLIENT_ID", "ANSWER", "verify", "read")


def is_source(thing: object) -> bool:
    return all(hasattr(thing, wanted) for wanted in WANTED)


SOURCES: Registry[Source] = Registry("webhook sources", is_source)
for _found in pkgutil.iter_modules(__path__):
    if _found.ispkg:
        _module = cast(Source, import_module(f"{__name__}.{_found.name}"))
        SOURCES.register(_module.KEY, _module)
