"""Pure analytics: no Django, no HTTP; usable from a notebook. Definitions in `definitions`, value in `clv`, warnings in
`churn`; `outlook` is the one default answer to who will come. What needs scipy is imported when it is asked for."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from changke.engine.prediction.default import Outlook, outlook

__all__ = ["Outlook", "outlook"]
ROOMS = ("affinity", "churn", "clv", "cohorts", "experiments", "rfm", "synthetic")


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("changke.engine.prediction.default"), name)
    if name in ROOMS:
        return importlib.import_module(f"changke.engine.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *ROOMS})
