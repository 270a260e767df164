"""One tree, two readings: SQL over many, Python over one row.

    {"and": [{"attribute": "silent_days", "op": ">", "value": 60},
             {"not": {"attribute": "tier", "op": "in", "value": ["gold"]}}]}

They agree because each kind of node says both side by side. **Unknown satisfies nothing**: a comparison with NULL is
false, not NULL, so "not (silent for more than 60 days)" includes the customer who never came. Who means otherwise
adds {"known": ...}.
"""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import sqlglot
from sqlglot import exp

from changke.engine.definitions import TYPES, Column, among

ColumnOf = Callable[[str], exp.Expr]
SetOf = Callable[["Asked"], exp.Query]
"""How a set of customers is asked: by its statement, or where somebody has it already."""
Value = Any
"""int, str, bool or datetime.date; a list of them for `in`."""

COMPARISONS: Mapping[str, tuple[Callable[[Value, Value], bool], type[exp.Binary]]] = {
    "=": (operator.eq, exp.EQ),
    "!=": (operator.ne, exp.NEQ),
    "<": (operator.lt, exp.LT),
    "<=": (operator.le, exp.LTE),
    ">": (operator.gt, exp.GT),
    ">=": (operator.ge, exp.GTE),
}

OPERATORS = (*COMPARISONS, "in")


class Condition(ABC):
    """What every node can do.

    `sql` takes `negated`, because NOT is carried down to the comparisons: only there is known what NULL has to
    become, and a comparison without COALESCE around it can use an index. Its result may be NULL for false.
    """

    @abstractmethod
    def holds(self, row: Mapping[str, Value]) -> bool:
        """Whether it fits the customer with these attributes; None is unknown."""

    @abstractmethod
    def sql(self, column: ColumnOf, negated: bool = False, sets: "SetOf | None" = None) -> exp.Expr:
        """The same over columns, with a placeholder per value; `sets` unless each set is to be asked by its
        statement."""

    @property
    @abstractmethod
    def shape(self) -> Hashable:
        """What the SQL text depends on; values are bound."""

    @abstractmethod
    def leaves(self) -> Iterator["Compare | Known"]:
        """The questions about single attributes, left to right."""

    def asked(self) -> Iterator["Asked"]:
        """The questions beyond attributes, left to right."""
        return iter(())

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the attributes it asks for, each once."""
        return tuple(dict.fromkeys(leaf.column.name for leaf in self.leaves()))

    @property
    def values(self) -> dict[str, Value]:
        """What to bind, by parameter."""
        bound = {leaf.parameter: leaf.value for leaf in self.leaves() if isinstance(leaf, Compare)}
        return bound | {name: value for one in self.asked() for name, (value, _) in one.parameters.items()}

    @property
    def types(self) -> dict[str, str]:
        """SQL type of every parameter."""
        found = {leaf.parameter: leaf.parameter_type for leaf in self.leaves() if isinstance(leaf, Compare)}
        return found | {name: kind for one in self.asked() for name, (_, kind) in one.parameters.items()}


@dataclass(frozen=True)
class Compare(Condition):
    """An attribute against a value, or for `in` against a tuple of them."""

    column: Column
    op: str
    value: Value
    parameter: str

    def holds(self, row: Mapping[str, Value]) -> bool:
        asked = row[self.column.name]
        if asked is None:
            return False
        return asked in self.value if self.op == "in" else COMPARISONS[self.op][0](asked, self.value)

    def sql(self, column: ColumnOf, negated: bool = False, sets: "SetOf | None" = None) -> exp.Expr:
        asked, bound = column(self.column.name), exp.Placeholder(this=self.parameter)
        if self.op == "in":
            fits: exp.Expr = among(asked, self.parameter)
        else:
            fits = COMPARISONS[self.op][1](this=asked, expression=bound)
        return exp.or_(column(self.column.name).is_(exp.null()), exp.not_(fits)) if negated else fits

    @property
    def parameter_type(self) -> str:
        return TYPES[self.column.type] + ("[]" if self.op == "in" else "")

    @property
    def shape(self) -> Hashable:
        return (self.op, self.column.name, self.parameter)

    def leaves(self) -> Iterator["Compare | Known"]:
        yield self


@dataclass(frozen=True)
class Known(Condition):
    """Something is known of the attribute."""

    column: Column

    def holds(self, row: Mapping[str, Value]) -> bool:
        return row[self.column.name] is not None

    def sql(self, column: ColumnOf, negated: bool = False, sets: "SetOf | None" = None) -> exp.Expr:
        unknown = column(self.column.name).is_(exp.null())
        return unknown if negated else exp.not_(unknown)

    @property
    def shape(self) -> Hashable:
        return ("known", self.column.name)

    def leaves(self) -> Iterator["Compare | Known"]:
        yield self


@dataclass(frozen=True)
class Both(Condition):
    """All of the parts (and), or at least one of them (or)."""

    word: Literal["and", "or"]
    parts: tuple[Condition, ...]

    def holds(self, row: Mapping[str, Value]) -> bool:
        return (all if self.word == "and" else any)(part.holds(row) for part in self.parts)

    def sql(self, column: ColumnOf, negated: bool = False, sets: "SetOf | None" = None) -> exp.Expr:
        join = exp.and_ if (self.word == "and") != negated else exp.or_
        return join(*(part.sql(column, negated, sets) for part in self.parts), copy=False)

    @property
    def shape(self) -> Hashable:
        return (self.word, *(part.shape for part in self.parts))

    def leaves(self) -> Iterator[Compare | Known]:
        for part in self.parts:
            yield from part.leaves()

    def asked(self) -> Iterator["Asked"]:
        for part in self.parts:
            yield from part.asked()


@dataclass(frozen=True)
class Not(Condition):
    """Everyone whom the part does not fit, those included of whom it cannot be known."""

    part: Condition

    def holds(self, row: Mapping[str, Value]) -> bool:
        return not self.part.holds(row)

    def sql(self, column: ColumnOf, negated: bool = False, sets: "SetOf | None" = None) -> exp.Expr:
        return self.part.sql(column, not negated, sets)

    @property
    def shape(self) -> Hashable:
        return ("not", self.part.shape)

    def leaves(self) -> Iterator[Compare | Known]:
        yield from self.part.leaves()

    def asked(self) -> Iterator["Asked"]:
        yield from self.part.asked()


class Asked(Condition):
    """A leaf that is a set of customers."""

    @abstractmethod
    def members(self) -> str:
        """SELECT customer_id of those it fits, with a placeholder per value."""

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, tuple[Value, str]]:
        """Parameter -> value and SQL type."""

    def query(self) -> exp.Query:
        """`members` as it is read; the reader's own."""
        return _parsed(self.members()).copy()

    def sql(self, column: ColumnOf, negated: bool = False, sets: "SetOf | None" = None) -> exp.Expr:
        found = sets(self) if sets else self.query()
        fits = exp.In(this=column("customer_id"), query=found.subquery())
        return exp.not_(fits) if negated else fits

    def leaves(self) -> Iterator[Compare | Known]:
        return iter(())

    def asked(self) -> Iterator["Asked"]:
        yield self


@lru_cache(maxsize=500)
def _parsed(text: str) -> exp.Query:
    found = sqlglot.parse_one(text, read="duckdb")
    assert isinstance(found, exp.Query), "we wrote a SELECT"
    return found
