"""Stages and rules added to a model of one's own and taken out of it. Pure; the rest of the form is applied before.

One button is pressed at a time, so places are those of the form that was sent. What cannot be meant leaves the
definition as it was and is named beside the inputs.
"""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

from changke.interfaces.web.lifecycle.asking import NEW
from changke.interfaces.web.lifecycle.editing import Edited, Tree
from changke.profiles.lifecycle.rules import KEY, LANGUAGES

A_NEW_STAGE = ""
"""What the choice of a stage says where the rule brings its own."""


def rebuilt(done: Edited, typed: Mapping[str, str], *, when: Tree | None) -> None:
    """Do what the pressed button says, if it is one of these. `when`: what one rule more asks, None where nothing."""
    _otherwise(done.definition, typed)
    if (place := typed.get("drop-rule", "")).isdigit():
        _drop_rule(done, int(place))
    elif stage := typed.get("drop-stage"):
        _drop_stage(done, stage)
    elif "add-rule" in typed:
        _add_rule(done, typed, when)


def _otherwise(definition: Tree, typed: Mapping[str, str]) -> None:
    """In which stage everybody else stands."""
    if (stage := typed.get("else-stage")) in _keys(definition) and definition["ask"]:
        definition["ask"][-1]["stage"] = stage


def _drop_rule(done: Edited, place: int) -> None:
    """Without this rule, and without its stage where that had no other. The last rule stays: it asks nothing."""
    rules = done.definition["ask"]
    if not 0 <= place < len(rules) - 1:
        return
    stage = rules.pop(place).get("stage")
    if stage not in {rule.get("stage") for rule in rules}:
        done.definition["stages"] = [one for one in done.definition["stages"] if one.get("key") != stage]


def _drop_stage(done: Edited, stage: str) -> None:
    """Without this stage and the rules that lead to it."""
    definition = done.definition
    if stage not in _keys(definition):
        return
    if definition["ask"] and definition["ask"][-1].get("stage") == stage:
        done.errors["form"] = (_("Everybody else stands in this stage: choose another one for them first."), {})
        return
    definition["stages"] = [one for one in definition["stages"] if one.get("key") != stage]
    definition["ask"] = [rule for rule in definition["ask"] if rule.get("stage") != stage]


def _add_rule(done: Edited, typed: Mapping[str, str], when: Tree | None) -> None:
    """One rule more, asked last before everybody else. Its reason is the name of its stage until somebody writes
    another."""
    definition = done.definition
    if when is None:
        done.errors[f"{NEW}-when"] = (_("choose what the rule asks"), {})
        return
    chosen = typed.get(f"{NEW}-stage", A_NEW_STAGE)
    stage = _new_stage(done, typed) if chosen == A_NEW_STAGE else _known(definition, chosen)
    if stage is None:
        return
    if chosen == A_NEW_STAGE:
        definition["stages"].append(stage)
    rule = {"stage": stage["key"], "when": when, "reason": _plain(stage["words"])}
    definition["ask"].insert(max(len(definition["ask"]) - 1, 0), rule)


def _new_stage(done: Edited, typed: Mapping[str, str]) -> Tree | None:
    key = typed.get(f"{NEW}-key", "").strip()
    if not KEY.fullmatch(key):
        done.errors[f"{NEW}-key"] = (_("a short word of letters and digits, not '%(key)s'"), {"key": key[:60]})
        return None
    if key in _keys(done.definition):
        done.errors[f"{NEW}-key"] = (_("There is a stage with this key already."), {})
        return None
    words = {language: typed.get(f"{NEW}-{language}", "").replace("\x00", "").strip() for language in LANGUAGES}
    if not all(words.values()):
        done.errors[f"{NEW}-words"] = (_("words in %(languages)s"), {"languages": ", ".join(LANGUAGES)})
        return None
    return {"key": key, "words": words}


def _known(definition: Tree, key: str) -> Tree | None:
    return next((one for one in definition["stages"] if one.get("key") == key), None)


def _keys(definition: Tree) -> set[object]:
    return {one.get("key") for one in definition["stages"]}


def _plain(words: Mapping[str, str]) -> dict[str, str]:
    """A name as a sentence: braces in it stand for themselves."""
    return {language: text.replace("{", "{{").replace("}", "}}") for language, text in words.items()}
