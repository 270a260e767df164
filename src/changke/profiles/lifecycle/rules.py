"""A lifecycle model: which stages there are, in which order they are asked, and why a customer stands in one."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

from changke.engine.definitions import Cases, Column
from changke.foundation.organisation.activity import COUNTED, PURCHASE, USE, VISIT, counted
from changke.profiles.conditions import Compare, Condition, ConditionError, Known, read_condition
from changke.profiles.lifecycle.beyond import BEYOND, NotOfADay, as_attributes

LANGUAGES = ("zh-hans", "en", "zh-hant")
Words = Mapping[str, str]
"""Language -> text. Every one of LANGUAGES is there."""

Row = Mapping[str, Any]
"""Attribute -> value of one customer; None is unknown."""


class ModelError(ValueError):
    """A model that cannot be published, with the path to the spot and what is wrong there.

    `reason` is an English template with named places, translated at the roof.
    """

    def __init__(self, path: str, *, reason: str, **places: object) -> None:
        self.path, self.reason, self.places = path, reason, places
        self.problem = reason % places if places else reason
        super().__init__(f"{path}: {self.problem}")


KEY = re.compile(r"[a-z][a-z0-9_]{0,13}")
"""Of a model and of a stage: a column is named after the one, and rows hold the other."""

LONGEST_SENTENCE = 400

TOKEN_LENGTH = 32

TURNS: Mapping[str, tuple[int, ...]] = {">=": (0,), "<": (0,), ">": (1,), "<=": (1,)}
"""Where a comparison turns, relative to its value; others turn at it and after it."""


@dataclass(frozen=True)
class Stage:
    """A stage as people see it. `missing` names facts that would decide it better and are not recorded yet."""

    key: str
    words: Words
    missing: Words | None = None


@dataclass(frozen=True)
class Rule:
    """Who fits stands in `stage`, for this reason. Without a condition it fits everybody."""

    stage: str
    condition: Condition | None
    reason: Words
    said: Condition | None = None
    """The same as it was written, tags and deeds not yet columns: for saying it in words."""

    def fits(self, row: Row) -> bool:
        return self.condition is None or self.condition.holds(row)

    def because(
        self, row: Row, language: str, *, show: Callable[[str, Any], str] = lambda _name, value: str(value)
    ) -> str:
        """The reason as a sentence. `show` writes an attribute's value in the reader's language."""
        parts = Formatter().parse(self.reason[language])
        return "".join(
            literal + (show(held_as(field), row[held_as(field)]) if field else "") for literal, field, _, _ in parts
        )


@dataclass(frozen=True)
class LifecycleModel:
    """Stages in the order of life, rules in the order in which they are asked."""

    key: str
    version: int
    is_default: bool
    words: Words
    stages: tuple[Stage, ...]
    rules: tuple[Rule, ...]

    @property
    def column(self) -> str:
        """What its stage is called beside the attributes."""
        return f"stage_{self.key}"

    @property
    def cases(self) -> Cases:
        """The model as a column of a statement."""
        asked = tuple((rule.condition, rule.stage) for rule in self.rules if rule.condition is not None)
        return Cases(asked, otherwise=self.rules[-1].stage)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What has to be known to place somebody and to say why."""
        asked = [name for rule in self.rules if rule.condition for name in rule.condition.attributes]
        told = [held_as(name) for rule in self.rules for name in placeholders(rule.reason[LANGUAGES[0]])]
        return tuple(dict.fromkeys([*asked, *told]))

    def rule_for(self, row: Row) -> Rule:
        """The first rule that fits."""
        return next(rule for rule in self.rules if rule.fits(row))

    def stage(self, key: str) -> Stage:
        return next(stage for stage in self.stages if stage.key == key)

    def thresholds(self, attribute: str) -> frozenset[int]:
        """The values from which on a comparison with the whole number gives another answer."""
        return frozenset(value + step for op, value in self._compared(attribute) for step in TURNS.get(op, (0, 1)))

    def texts(self, attribute: str) -> frozenset[str]:
        """What the attribute is compared with, where that is a text."""
        return frozenset(value for _op, value in self._compared(attribute) if isinstance(value, str))

    def _compared(self, attribute: str) -> Iterator[tuple[str, Any]]:
        for rule in self.rules:
            for leaf in rule.condition.leaves() if rule.condition else ():
                if isinstance(leaf, Compare) and leaf.column.name == attribute:
                    for value in leaf.value if isinstance(leaf.value, list | tuple) else [leaf.value]:
                        yield leaf.op, value


def read_model(
    definition: Mapping[str, Any], *, attributes: Mapping[str, Column], settings: Mapping[str, int], version: int = 1
) -> LifecycleModel:
    """Read a model from JSON, refusing what could not be asked or told.

    Raises
    ------
    ModelError
        With the path to the first mistake.
    """
    key = definition.get("key", "")
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise ModelError("key", reason="a short word of letters and digits, not '%(key)s'", key=key)
    if not isinstance(definition.get("position", 0), int):
        raise ModelError("position", reason="a whole number")
    stages = tuple(_stage(one, f"stages[{n}]") for n, one in enumerate(definition.get("stages", ())))
    known = {stage.key for stage in stages}
    if not stages or len(known) < len(stages):
        raise ModelError("stages", reason="at least one stage, each with a key of its own")
    rules = tuple(
        _rule(one, f"ask[{n}]", known, attributes, settings) for n, one in enumerate(definition.get("ask", ()))
    )
    if not rules or rules[-1].condition is not None:
        raise ModelError("ask", reason="the last rule has no condition: everybody stands somewhere")
    if any(rule.condition is None for rule in rules[:-1]):
        raise ModelError("ask", reason="a rule without a condition ends the list: nothing after it is ever asked")
    if unreached := known - {rule.stage for rule in rules}:
        raise ModelError("ask", reason="nobody can ever stand in %(stages)s", stages=", ".join(sorted(unreached)))
    return LifecycleModel(
        key, version, bool(definition.get("default")), _words(definition, "words", "model"), stages, rules
    )


def token_of(definition: Mapping[str, Any], *, settings: Mapping[str, int], standing: int, is_in_use: bool) -> str:
    """What a dry run was of, as a short word: the rules asked, the chain's numbers, and the rules of now.

    Whoever publishes sends it back; another word says that what would be published is not what was shown.
    `standing`: the version of the published rules, 0 for a model that is new.
    """
    told = json.dumps([definition, dict(settings), standing, is_in_use], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()[:TOKEN_LENGTH]


OWN_NAME = re.compile(r'["{]((?:custom|score)\.[a-z][a-z0-9_]*)["}]')


def own_names(definition: Mapping[str, Any]) -> set[str]:
    """The chain's own fields and scores that a model names anywhere: in what it asks, and in the sentences of every
    language and of whatever the chain counts as activity."""
    return set(OWN_NAME.findall(json.dumps(definition)))


def held_as(name: str) -> str:
    """What rows and statements call an attribute: the dot of what is the chain's own is an underscore there."""
    return name.replace(".", "_", 1)


def placeholders(template: str) -> list[str]:
    """The attributes that a sentence names in braces."""
    return [field for _literal, field, _spec, _conversion in Formatter().parse(template) if field]


def _named(template: str, path: str) -> list[str]:
    """The same of a template that nobody has read yet: plain names in braces, nothing that formats or reaches in."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        raise ModelError(path, reason="braces stand around an attribute, as in {silent_days}") from None
    if any(field == "" or spec or conversion for _literal, field, spec, conversion in parts):
        raise ModelError(path, reason="braces stand around an attribute, as in {silent_days}")
    return [field for _literal, field, _spec, _conversion in parts if field]


def known_values(condition: Condition, row: Row) -> list[tuple[str, Any]]:
    """The attributes a condition asks for, with what is known of them, left to right."""
    leaves: Sequence[Compare | Known] = list(condition.leaves())
    return [(leaf.column.name, row[leaf.column.name]) for leaf in leaves]


def _stage(one: Mapping[str, Any], path: str) -> Stage:
    key = one.get("key", "")
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise ModelError(f"{path}.key", reason="a short word of letters and digits, not '%(key)s'", key=key)
    missing = _words(one, "missing", path) if one.get("missing") is not None else None
    return Stage(key, _words(one, "words", path), missing)


def _rule(
    one: Mapping[str, Any], path: str, known: set[str], attributes: Mapping[str, Column], settings: Mapping[str, int]
) -> Rule:
    stage = str(one.get("stage", ""))
    if stage not in known:
        raise ModelError(f"{path}.stage", reason="there is no stage '%(stage)s'", stage=stage)
    reason = _reason(one, path, settings)
    for language, template in reason.items():
        for name in _named(template, f"{path}.reason.{language}"):
            if name not in attributes:
                raise ModelError(f"{path}.reason.{language}", reason="unknown attribute '%(name)s'", name=name)
    if "when" not in one:
        return Rule(stage, None, reason)
    try:
        tree, deeds = as_attributes(one["when"], attributes, settings, f"{path}.when")
        condition = read_condition(tree, {**attributes, **deeds}, settings=settings, path=f"{path}.when")
    except ConditionError as error:
        raise ModelError(error.path, reason="%(problem)s", problem=error.problem) from None
    except NotOfADay as error:
        raise ModelError(error.path, reason=error.reason) from None
    said = read_condition(one["when"], attributes, settings=settings, path=f"{path}.when", beyond=BEYOND)
    return Rule(stage, condition, reason, said)


def _reason(one: Mapping[str, Any], path: str, settings: Mapping[str, int]) -> Words:
    """The sentence for what the chain counts as activity: who is silent where visits do not count may have come."""
    variants = one.get("without_visits", {})
    told = {word: _words(variants, word, f"{path}.without_visits") for word in variants}
    if unknown := set(told) - {"any", *COUNTED}:
        raise ModelError(
            f"{path}.without_visits", reason="nothing counts as %(kinds)s", kinds=", ".join(sorted(map(str, unknown)))
        )
    usual = _words(one, "reason", path)
    word = counted([kind for kind in (VISIT, PURCHASE, USE) if settings.get(f"activity_{kind}", 1)])
    return usual if word == VISIT else told.get(word) or told.get("any") or usual


def _words(one: Mapping[str, Any], name: str, path: str) -> Words:
    words = one.get(name)
    if not isinstance(words, Mapping) or not all(
        isinstance(said := words.get(language), str) and 0 < len(said) <= LONGEST_SENTENCE for language in LANGUAGES
    ):
        raise ModelError(f"{path}.{name}", reason="words in %(languages)s", languages=", ".join(LANGUAGES))
    return {language: str(words[language]) for language in LANGUAGES}
