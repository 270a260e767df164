"""A stage keeps its colour on every page. The tokens carry the names of the default model's stages."""

from changke.profiles.lifecycle.rules import LifecycleModel

OWN = frozenset({"new", "intro", "growth", "mature", "silent", "lost"})
LIKE = {
    "awareness": "new", "interest": "intro", "decision": "silent", "purchase": "growth", "use": "mature",
    "attract": "new", "acquire": "intro", "convert": "silent", "retain": "growth", "develop": "mature",
    "win_back": "lost",
}  # fmt: skip
SPARE = ("intro", "growth", "mature", "silent", "lost")
WORSE = frozenset({"silent", "lost", "win_back"})
"""Stages nobody wants a customer to arrive at."""


def colours_of(model: LifecycleModel) -> dict[str, str]:
    """Stage -> colour token. A chain's own stages take the spare ones in the order of life."""
    return {
        stage.key: stage.key if stage.key in OWN else LIKE.get(stage.key, SPARE[place % len(SPARE)])
        for place, stage in enumerate(model.stages)
    }
