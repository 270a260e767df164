"""A model as a form: the definition travels along as JSON, and what stands in the inputs is applied to it. Pure.

A leaf of a condition is addressed by its rule and its path in the tree: `value-2-and.0.or.1`. What cannot be read is
kept as it was typed and named; nothing of the rest is lost.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop as _

from changke.engine.definitions import Column
from changke.interfaces.web.conditions.values import operators_of, read
from changke.profiles.lifecycle.rules import LANGUAGES

Tree = dict[str, Any]
LISTED = ("and", "or")


@dataclass
class Leaf:
    """One comparison of a rule, as the form shows it."""

    path: str
    attribute: str
    op: str
    value: object
    setting: str = ""
    """The number of the chain that it names; "" where the value is its own."""
    negated: bool = False
    """A "not" stands around it, or an odd number of them."""


@dataclass
class Edited:
    """The definition with everything that could be read, and what could not, by the name of its input."""

    definition: dict[str, Any]
    errors: dict[str, tuple[str, dict[str, object]]] = field(default_factory=dict)


def leaves(tree: object, path: str = "", *, negated: bool = False) -> Iterator[Leaf]:
    """The comparisons of a condition, left to right. {"known": ...} has nothing to type and is none."""
    if not isinstance(tree, Mapping):
        return
    for word in LISTED:
        for place, part in enumerate(tree.get(word, ()) if isinstance(tree.get(word), list) else ()):
            yield from leaves(part, _joined(path, word, place), negated=negated)
    if "not" in tree:
        yield from leaves(tree["not"], _joined(path, "not"), negated=not negated)
    if "attribute" in tree:
        value = tree.get("value")
        setting = str(value["setting"]) if isinstance(value, Mapping) and "setting" in value else ""
        yield Leaf(path, str(tree["attribute"]), str(tree.get("op")), value, setting, negated)


def edited(
    definition: Mapping[str, Any],
    typed: Mapping[str, str],
    *,
    attributes: Mapping[str, Column],
    settings: Mapping[str, int],
    currency: str,
) -> Edited:
    """Apply a sent form: words, values, conditions dropped and added, the order of asking."""
    done = Edited(copy.deepcopy(dict(definition)))
    _words(done.definition, "words", "name", typed)
    for place, stage in enumerate(_listed(done.definition, "stages")):
        _words(stage, "words", f"stage-{place}", typed)
    for place, rule in enumerate(_listed(done.definition, "ask")):
        _words(rule, "reason", f"reason-{place}", typed)
        for leaf in list(leaves(rule.get("when"))):
            _value(done, rule, leaf, place, typed, attributes, settings, currency)
        paths = [leaf.path for leaf in leaves(rule.get("when"))]
        _drop(rule, frozenset(path for path in paths if f"drop-{place}-{path}" in typed))
        _add(done, rule, place, typed, attributes, currency)
    _reorder(done.definition, typed)
    return done


def _value(
    done: Edited,
    rule: Tree,
    leaf: Leaf,
    place: int,
    typed: Mapping[str, str],
    attributes: Mapping[str, Column],
    settings: Mapping[str, int],
    currency: str,
) -> None:
    name = f"value-{place}-{leaf.path}"
    column = attributes.get(leaf.attribute)
    if name not in typed or column is None:
        return
    try:
        value = read(typed[name].strip(), column, op=leaf.op, currency=currency)
    except ValueError:
        done.errors[name] = (_("'%(typed)s' is not a value of %(attribute)s"), {
            "typed": typed[name][:60], "attribute": column.words,
        })  # fmt: skip
        return
    if leaf.setting and value == settings.get(leaf.setting):
        return  # untouched, it goes on following the chain's number
    _at(rule, leaf.path)["value"] = value


def _add(
    done: Edited, rule: Tree, place: int, typed: Mapping[str, str], attributes: Mapping[str, Column], currency: str
) -> None:
    """One more condition, all of which have to hold."""
    if "when" not in rule or (new := comparison(done, f"add-{place}", typed, attributes, currency)) is None:
        return
    known = rule["when"]
    rule["when"] = {"and": [*known["and"], new]} if "and" in known else {"and": [known, new]}


def comparison(
    done: Edited, name: str, typed: Mapping[str, str], attributes: Mapping[str, Column], currency: str
) -> Tree | None:
    """What was chosen in the three inputs `name`-attribute, -op and -value; None where nothing was, or where it cannot
    be read, which is noted."""
    attribute = typed.get(f"{name}-attribute", "")
    column = attributes.get(attribute)
    if not attribute or column is None:
        return None
    op, text = typed.get(f"{name}-op", ""), typed.get(f"{name}-value", "").strip()
    if op not in (*operators_of(column), "in"):
        done.errors[f"{name}-op"] = (_("choose one of %(choices)s"), {"choices": ", ".join(operators_of(column))})
        return None
    try:
        value = read(text, column, op=op, currency=currency)
    except ValueError:
        done.errors[f"{name}-value"] = (_("'%(typed)s' is not a value of %(attribute)s"), {
            "typed": text[:60], "attribute": column.words,
        })  # fmt: skip
        return None
    return {"attribute": attribute, "op": op, "value": value}


def _drop(rule: Tree, dropped: frozenset[str]) -> None:
    """Without these comparisons. Not without all of them: a rule that asks nothing would end the list."""
    if dropped and (left := _pruned(rule["when"], dropped)):
        rule["when"] = left


def _pruned(tree: Tree, dropped: frozenset[str], path: str = "") -> Tree:
    """The tree without the leaves of these paths; empty where nothing is left."""
    for word in LISTED:
        if word in tree:
            parts = [_pruned(part, dropped, _joined(path, word, place)) for place, part in enumerate(tree[word])]
            parts = [part for part in parts if part]
            return parts[0] if len(parts) == 1 else {word: parts} if parts else {}
    if "not" in tree:
        inside = _pruned(tree["not"], dropped, _joined(path, "not"))
        return {"not": inside} if inside else {}
    return {} if path in dropped else tree


def _reorder(definition: Tree, typed: Mapping[str, str]) -> None:
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


def _at(rule: Tree, path: str) -> Tree:
    found = rule["when"]
    for step in path.split(".") if path else ():
        found = found[int(step)] if step.isdigit() else found[step]
    return found  # type: ignore[no-any-return]  # JSON of ours


def _joined(path: str, *steps: object) -> str:
    return ".".join([*([path] if path else []), *map(str, steps)])
