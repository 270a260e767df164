"""JSON -> a condition, refusing what could never be meant; the path to the spot stands in every refusal.

{"attribute": "silent_days", "op": ">=", "value": 60}                               an attribute against a value
{"attribute": "silent_days", "op": ">=", "value": {"setting": "lost_after_days"}}   against a setting of the chain
{"attribute": "stage", "op": "in", "value": ["lost", "silent"]}
{"known": "tier"}   {"not": ...}   {"and": [...]}   {"or": [...]}
"""

import datetime
from collections.abc import Mapping

from changke.engine.definitions import Column
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

    Raises
    ------
    ConditionError
        With the path to the first spot that means nothing, or that goes beyond `DEEPEST`, `LARGEST` or `LONGEST`.
    """
    return _Reader(attributes, settings or {}).read(tree, path, 0)


class _Reader:
    def __init__(self, attributes: Mapping[str, Column], settings: Mapping[str, Value]) -> None:
        self.attributes, self.settings = attributes, settings
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
        raise ConditionError(path, "expected attribute, op and value; or 'and', 'or', 'not', 'known'")

    def parts(self, parts: list[object], path: str, depth: int) -> tuple[Condition, ...]:
        return tuple(self.read(part, f"{path}[{number}]", depth + 1) for number, part in enumerate(parts))

    def column(self, name: str, path: str) -> Column:
        self.asked += 1
        if self.asked > LARGEST:
            raise ConditionError(path, f"more than {LARGEST} questions in one condition")
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
