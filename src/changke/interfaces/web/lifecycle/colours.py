"""A stage keeps its colour on every page. The tokens carry the names of the default model's stages."""

from collections.abc import Sequence

from changke.profiles.lifecycle.rules import LifecycleModel

OWN = frozenset({"new", "intro", "growth", "mature", "silent", "lost"})
LIKE = {
    "awareness": "new", "interest": "intro", "decision": "silent", "purchase": "growth", "use": "mature",
    "attract": "new", "acquire": "intro", "convert": "silent", "retain": "growth", "develop": "mature",
    "win_back": "lost",
    "know": "new", "buy": "growth", "again": "mature",
    "before": "new", "first_order": "intro", "wake": "silent", "nurture": "growth", "old": "mature",
    "not_old": "new", "match": "intro", "favour": "growth", "upgrade": "mature",
    "identify": "new", "approach": "intro", "trust": "growth", "converted": "mature",
    "target": "new", "partner": "growth", "repurchase": "mature", "ended": "lost",
    "before_visit": "intro", "at_visit": "mature", "after_visit": "growth",
}  # fmt: skip
SPARE = ("intro", "growth", "mature", "silent", "lost")
WORSE = frozenset({"silent", "lost", "win_back", "wake", "ended"})
"""Stages nobody wants a customer to arrive at."""


def colours_of(model: LifecycleModel) -> dict[str, str]:
    """Stage -> colour token. A chain's own stages take the spare ones in the order of life."""
    return colours_of_keys([stage.key for stage in model.stages])


def colours_of_keys(stages: Sequence[str]) -> dict[str, str]:
    """The same of the keys of a model's stages, in the order of life."""
    return {key: key if key in OWN else LIKE.get(key, SPARE[place % len(SPARE)]) for place, key in enumerate(stages)}
