"""JSON -> a condition, refusing what could never be meant; the path to the spot stands in every refusal.

{"attribute": "silent_days", "op": ">=", "value": 60}                               an attribute against a value
{"attribute": "silent_days", "op": ">=", "value": {"setting": "lost_after_days"}}   against a setting of the chain
{"attribute": "stage", "op": "in", "value": ["lost", "silent"]}
{"known": "tier"}   {"not": ...}   {"and": [...]}   {"or": [...]}

Beyond attributes, where whoever reads allows it (`beyond`):

{"tag": "敏感肌"}   {"consent": "marketing", "channel": "sms"}   {"segment": "vip"}
{"measure": "count", "deed": {"kind": "purchase", "category": "面部"}, "days": 90, "op": ">=", "value": 2}
{"measure": "sum", "deed": {"kind": "return"}, "since": "visit", "op": "=", "value": 0}
{"first": {"kind": "purchase", "item": "A"}, "then": {"kind": "visit"}, "within": 30, "days": 365}
"""

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from changke.engine.definitions import Column
from changke.profiles.conditions.deeds import (
    AMOUNTS,
    KINDS,
    WITH_LINES,
    Consented,
    Counted,
    Deed,
    Measure,
    Member,
    Sequence,
    Tagged,
)
from changke.profiles.conditions.tree import COMPARISONS, OPERATORS, Both, Compare, Condition, Known, Not, Value

DEEPEST = 20
"""Levels. Python and PostgreSQL recurse over the tree; nobody has yet understood a rule nested five deep."""

LARGEST = 200
"""Questions about single attributes in one tree: every one becomes SQL that a database has to plan."""

LONGEST = 10_000
"""Values in one list, a file of ids pasted into a rule."""

ORDERED = frozenset({"int", "money", "days", "date"})
"""Not text: "b" > "a" depends on the collation of whoever answers."""

PYTHON: Mapping[str, type] = {"int": int, "money": int, "days": int, "text": str, "bool": bool, "date": datetime.date}
WHOLE = range(-(2**63), 2**63)


LONGEST_DAYS = 36_500
LONGEST_NAME = 200
BEYOND = ("tag", "consent", "segment", "measure", "first")
"""The words by which a question beyond attributes is known."""


@dataclass(frozen=True)
class Beyond:
    """What may be asked beyond attributes. None: any word is taken, such as a tag that nobody wears yet."""

    segments: Collection[str] | None = None
    categories: Collection[str] | None = None
    items: Collection[str] | None = None
    consents: Collection[tuple[str, str]] | None = None
    """Purpose and channel."""
    events: Collection[str] | None = None
    """Kinds of events."""


class ConditionError(ValueError):
    """A tree that means nothing, with the path to the spot.

    `path` is the spot ("condition.and[0].value"), `problem` what is wrong there.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = path, problem


def read_condition(
    tree: object,
    attributes: Mapping[str, Column],
    *,
    settings: Mapping[str, Value] | None = None,
    path: str = "condition",
    beyond: Beyond | None = None,
) -> Condition:
    """Read JSON, refusing what no customer could ever fit for want of meaning: unknown words, wrong types, NULL.

    Parameters
    ----------
    attributes
        What may be asked: `registry.attributes`.
    settings
        Numbers of the chain that a value may name as {"setting": name}.
    path
        What the refusal calls the root.
    beyond
        Allows tags, consents, groups and deeds. Without it, as in stage models that are computed for everybody from
        attributes alone, they are refused.

    Raises
    ------
    ConditionError
        With the path to the first spot that means nothing, or that goes beyond `DEEPEST`, `LARGEST` or `LONGEST`.
    """
    return _Reader(attributes, settings or {}, beyond).read(tree, path, 0)


class _Reader:
    def __init__(self, attributes: Mapping[str, Column], settings: Mapping[str, Value], beyond: Beyond | None) -> None:
        self.attributes, self.settings, self.beyond = attributes, settings, beyond
        self.asked = self.comparisons = 0

    def read(self, tree: object, path: str, depth: int) -> Condition:
        if depth > DEEPEST:
            raise ConditionError(path, f"nested deeper than {DEEPEST}")
        match tree:
            case {"and": [_, *_] as parts, **rest} if not rest:
                return Both("and", self.parts(parts, f"{path}.and", depth))
            case {"or": [_, *_] as parts, **rest} if not rest:
                return Both("or", self.parts(parts, f"{path}.or", depth))
            case {"not": part, **rest} if not rest:
                return Not(self.read(part, f"{path}.not", depth + 1))
            case {"known": str(name), **rest} if not rest:
                return Known(self.column(name, path))
            case {"attribute": str(name), "op": str(op), "value": value, **rest} if not rest:
                return self.compare(self.column(name, path), op, value, path)
        if isinstance(tree, Mapping) and any(word in tree for word in BEYOND):
            return self.further(tree, path)
        raise ConditionError(path, "expected attribute, op and value; or 'and', 'or', 'not', 'known'")

    def parts(self, parts: list[object], path: str, depth: int) -> tuple[Condition, ...]:
        return tuple(self.read(part, f"{path}[{number}]", depth + 1) for number, part in enumerate(parts))

    def further(self, tree: Mapping[str, Any], path: str) -> Condition:
        """A question beyond attributes."""
        if self.beyond is None:
            raise ConditionError(path, "only attributes can be asked here")
        parameter = self.parameter(path)
        match tree:
            case {"tag": str(name), **rest} if not rest:
                return Tagged(_text(name, f"{path}.tag"), parameter)
            case {"segment": str(key), **rest} if not rest:
                return Member(_among(key, self.beyond.segments, f"{path}.segment", "segment"), parameter)
            case {"consent": str(purpose), **rest} if set(rest) <= {"channel"}:
                return self.consent(purpose, rest.get("channel", ""), parameter, path)
            case {"measure": "count" | "sum" as measure, "deed": deed, "op": str(op), "value": value, **rest} if set(
                rest
            ) <= {"days", "since"}:
                return self.counted(measure, deed, op, value, rest, parameter, path)
            case {"first": first, "then": then, "within": within, **rest} if set(rest) <= {"days"}:
                days = _days(rest["days"], f"{path}.days") if "days" in rest else None
                return Sequence(
                    self.deed(first, f"{parameter}_first", f"{path}.first"),
                    self.deed(then, f"{parameter}_then", f"{path}.then"),
                    _days(within, f"{path}.within"),
                    days,
                    parameter,
                )
        raise ConditionError(path, "expected tag, consent, segment; measure, deed, op, value; or first, then, within")

    def consent(self, purpose: str, channel: object, parameter: str, path: str) -> Condition:
        known = self.beyond.consents if self.beyond else None
        if not isinstance(channel, str) or (known is not None and (purpose, channel) not in known):
            raise ConditionError(f"{path}.consent", f"unknown consent {purpose!r} by {channel!r}")
        return Consented(_text(purpose, path), channel, parameter)

    def counted(
        self,
        measure: Measure,
        deed: object,
        op: str,
        value: object,
        rest: Mapping[str, object],
        parameter: str,
        path: str,
    ) -> Condition:
        if op not in COMPARISONS:
            raise ConditionError(path, f"a {measure} cannot be asked {op!r}")
        if len(rest) > 1 or rest.get("since", "visit") != "visit":
            raise ConditionError(path, "a window has days, or it is since 'visit', or it is neither")
        days = _days(rest["days"], f"{path}.days") if "days" in rest else None
        meant = self.deed(deed, f"{parameter}_of", f"{path}.deed")
        if measure == "sum" and meant.kind not in AMOUNTS:
            raise ConditionError(f"{path}.deed", f"{meant.kind} has no amount to sum")
        match value:
            case {"setting": str(name), **more} if not more and name in self.settings:
                value = self.settings[name]
        if type(value) is not int or value not in WHOLE:
            raise ConditionError(f"{path}.value", f"a {measure} is a whole number, not {value!r}")
        return Counted(measure, meant, days, "since" in rest, op, value, parameter)

    def deed(self, tree: object, parameter: str, path: str) -> Deed:
        assert self.beyond is not None, "only asked beyond attributes"
        match tree:
            case {"kind": str(kind), **rest} if kind in KINDS and not rest and kind != "event":
                return Deed(kind)
            case {"kind": "event", "of": str(name), **rest} if not rest:
                return Deed("event", "kind", _among(name, self.beyond.events, f"{path}.of", "kind of event"), parameter)
            case {"kind": str(kind), "item": str(code), **rest} if kind in WITH_LINES and not rest:
                return Deed(kind, "item", _among(code, self.beyond.items, f"{path}.item", "item"), parameter)
            case {"kind": str(kind), "category": str(name), **rest} if kind in WITH_LINES and not rest:
                known = self.beyond.categories
                return Deed(kind, "category", _among(name, known, f"{path}.category", "category"), parameter)
        raise ConditionError(path, f"expected a kind ({', '.join(KINDS)}), with item or category of a purchase or use")

    def parameter(self, path: str) -> str:
        self.count(path)
        self.comparisons += 1
        return f"where_{self.comparisons}"

    def count(self, path: str) -> None:
        self.asked += 1
        if self.asked > LARGEST:
            raise ConditionError(path, f"more than {LARGEST} questions in one condition")

    def column(self, name: str, path: str) -> Column:
        self.count(path)
        if name not in self.attributes:
            raise ConditionError(path, f"unknown attribute {name!r}")
        return self.attributes[name]

    def compare(self, column: Column, op: str, value: object, path: str) -> Compare:
        if op not in OPERATORS or (op in COMPARISONS and op not in {"=", "!="} and column.type not in ORDERED):
            raise ConditionError(path, f"{column.name} is {column.type} and cannot be asked {op!r}")
        self.comparisons += 1
        parameter, path = f"where_{self.comparisons}", f"{path}.value"
        if op != "in":
            return Compare(column, op, self.value(value, column, path), parameter)
        if not (isinstance(value, list) and value):
            raise ConditionError(path, "'in' needs a list with something in it")
        if len(value) > LONGEST:
            raise ConditionError(path, f"a list of more than {LONGEST}")
        values = [self.value(one, column, f"{path}[{number}]") for number, one in enumerate(value)]
        return Compare(column, op, values, parameter)

    def value(self, value: object, column: Column, path: str) -> Value:
        match value:
            case {"setting": str(name), **rest} if not rest:
                if name not in self.settings:
                    raise ConditionError(path, f"unknown setting {name!r}")
                value = self.settings[name]
            case str() if column.type == "date":
                value = _day(value)
        if type(value) is not PYTHON[column.type] or (isinstance(value, int) and value not in WHOLE):
            raise ConditionError(path, f"{column.name} is {column.type}, not {value!r}")
        if isinstance(value, str) and "\x00" in value:
            raise ConditionError(path, "a text cannot hold the character NUL")
        return value


def _day(text: str) -> datetime.date | str:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return text


def _days(value: object, path: str) -> int:
    if type(value) is not int or not 1 <= value <= LONGEST_DAYS:
        raise ConditionError(path, f"1 to {LONGEST_DAYS} days, not {value!r}")
    return value


def _text(value: str, path: str) -> str:
    if not value or len(value) > LONGEST_NAME or "\x00" in value:
        raise ConditionError(path, f"a name has 1 to {LONGEST_NAME} characters, and none of them is NUL")
    return value


def _among(value: str, known: Collection[str] | None, path: str, kind: str) -> str:
    if known is not None and value not in known:
        raise ConditionError(path, f"unknown {kind} {value!r}")
    return _text(value, path)
