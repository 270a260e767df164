"""All models a chain may have: its stored ones, and those that come with the product and wait."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from changke.foundation.errors import NotFound
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.lifecycle.queries import LISTED
from changke.profiles.lifecycle.services.publish import shipped_models


@dataclass(frozen=True)
class ModelEntry:
    """One model as a list shows it. One that was never switched on has version 0 and no moment."""

    key: str
    definition: Mapping[str, Any]
    version: int
    is_in_use: bool
    is_default: bool
    published_at: dt.datetime | None
    is_ours: bool
    """It comes with the product, whether or not the chain has changed it."""

    @property
    def words(self) -> Mapping[str, str]:
        words: Mapping[str, str] = self.definition["words"]
        return words


def model_entries() -> list[ModelEntry]:
    """The default one first, then those in use, then the others by their place."""
    shipped = {one["key"]: one for one in shipped_models()}
    stored = StageModel.objects.order_by("-is_default", "-is_in_use", *LISTED[1:])
    found = [_entry(one, is_ours=one.key in shipped) for one in stored]
    known = {one.key for one in found}
    waiting = sorted((one for key, one in shipped.items() if key not in known), key=lambda one: one["position"])
    return found + [ModelEntry(one["key"], one, 0, False, False, None, True) for one in waiting]


def model_entry(key: str) -> ModelEntry:
    """One of them. Raises NotFound."""
    found = next((one for one in model_entries() if one.key == key), None)
    if found is None:
        raise NotFound
    return found


def _entry(one: StageModel, *, is_ours: bool) -> ModelEntry:
    return ModelEntry(
        one.key, one.definition, one.version, one.is_in_use, one.is_default, one.published_at, is_ours=is_ours
    )
