"""A model as a form: the definition travels along as JSON, and what stands in the inputs is applied to it. Pure.

Conditions are read by asking.py. What cannot be read is kept as it was typed and named; nothing of the rest is lost.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from changke.profiles.lifecycle.rules import LANGUAGES

Tree = dict[str, Any]


@dataclass
class Edited:
    """The definition with everything that could be read, and what could not, by the name of its input."""

    definition: dict[str, Any]
    errors: dict[str, tuple[str, dict[str, object]]] = field(default_factory=dict)


def edited(definition: Mapping[str, Any], typed: Mapping[str, str]) -> Edited:
    """Apply the words of a sent form: names and reasons."""
    done = Edited(copy.deepcopy(dict(definition)))
    _words(done.definition, "words", "name", typed)
    for place, stage in enumerate(_listed(done.definition, "stages")):
        _words(stage, "words", f"stage-{place}", typed)
    for place, rule in enumerate(_listed(done.definition, "ask")):
        _words(rule, "reason", f"reason-{place}", typed)
    return done


def reorder(definition: Tree, typed: Mapping[str, str]) -> None:
    """Ask a rule earlier or later. The last one, which asks nothing, stays the last."""
    rules = definition.get("ask", [])
    for word, step in (("up", -1), ("down", 1)):
        text = typed.get(word, "")
        if text.isdigit():
            here, there = int(text), int(text) + step
            if 0 <= here < len(rules) - 1 and 0 <= there < len(rules) - 1:
                rules[here], rules[there] = rules[there], rules[here]


def _words(one: Tree, name: str, prefix: str, typed: Mapping[str, str]) -> None:
    for language in LANGUAGES:
        if (text := typed.get(f"{prefix}-{language}")) is not None:
            one[name] = {**one.get(name, {}), language: text.replace("\x00", "").strip()}


def _listed(definition: Tree, name: str) -> list[Tree]:
    found = definition.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
