"""What the composer needs of a condition, and conditions as a column.

The condition language itself lives with the profiles; the engine knows it by this protocol only.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

ColumnOf = Callable[[str], exp.Expr]


class Condition(Protocol):
    """A question about one customer that is true or false, never unknown.

    Its SQL may be NULL where it means false: right in WHERE and CASE, and wrapped in COALESCE as a column.
    """

    @property
    def shape(self) -> Hashable:
        """Everything the SQL text depends on: two conditions of one shape differ in bound values only."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns it asks for."""

    @property
    def types(self) -> Mapping[str, str]:
        """SQL type of every parameter in its SQL."""

    @property
    def values(self) -> Mapping[str, object]:
        """What to bind to them."""

    def sql(self, column: ColumnOf, negated: bool = False) -> exp.Expr:
        """The condition over the columns that `column` hands out."""


@dataclass(frozen=True)
class Cases:
    """Conditions in order, as a column of text: the word of the first that fits.

    Parameters
    ----------
    choices
        Condition and word; the words are bound, so renaming a stage is the same statement.
    otherwise
        The word where none fits; None gives NULL.
    """

    choices: tuple[tuple[Condition, str], ...]
    otherwise: str | None = None

    @property
    def shape(self) -> Hashable:
        return ("cases", *(condition.shape for condition, _ in self.choices))

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for condition, _ in self.choices for name in condition.attributes))

    def types(self, column: str) -> dict[str, str]:
        """SQL type of every parameter, named after the column so that several models stand side by side."""
        found = {f"{column}_otherwise": "TEXT"}
        for number, (condition, _) in enumerate(self.choices):
            found[f"{column}_{number}"] = "TEXT"
            found |= {f"{column}_{number}_{name}": kind for name, kind in condition.types.items()}
        return found

    def values(self, column: str) -> dict[str, object]:
        """What to bind to them."""
        bound: dict[str, object] = {f"{column}_otherwise": self.otherwise}
        for number, (condition, word) in enumerate(self.choices):
            bound[f"{column}_{number}"] = word
            bound |= {f"{column}_{number}_{name}": value for name, value in condition.values.items()}
        return bound

    def sql(self, name: str, column: ColumnOf) -> exp.Expr:
        """CASE WHEN ... for the column called `name`. An unknown condition does not fit: CASE passes it by."""
        case = exp.Case(default=exp.Placeholder(this=f"{name}_otherwise"))
        for number, (condition, _) in enumerate(self.choices):
            fits = renamed(condition.sql(column), f"{name}_{number}")
            case.append("ifs", exp.If(this=fits, true=exp.Placeholder(this=f"{name}_{number}")))
        return case


@dataclass(frozen=True)
class Flag:
    """One condition, as a column that is true or false."""

    condition: Condition

    @property
    def shape(self) -> Hashable:
        return ("flag", self.condition.shape)

    @property
    def attributes(self) -> tuple[str, ...]:
        return self.condition.attributes

    def types(self, column: str) -> dict[str, str]:
        return {f"{column}_{name}": kind for name, kind in self.condition.types.items()}

    def values(self, column: str) -> dict[str, object]:
        return {f"{column}_{name}": value for name, value in self.condition.values.items()}

    def sql(self, name: str, column: ColumnOf) -> exp.Expr:
        return exp.func("COALESCE", renamed(self.condition.sql(column), name), exp.false())


Answer = Cases | Flag


def renamed(condition: exp.Expr, prefix: str) -> exp.Expr:
    """The condition with its parameters named apart from those of its neighbours."""
    for placeholder in list(condition.find_all(exp.Placeholder)):
        placeholder.set("this", f"{prefix}_{placeholder.name}")
    return condition


def values_of(where: Condition | None = None, cases: Mapping[str, Answer] | None = None) -> dict[str, object]:
    """Everything to bind for the conditions of one statement: `composer.statement(..., where=where, cases=cases)`."""
    bound = dict(where.values) if where else {}
    for name, answer in (cases or {}).items():
        bound |= answer.values(name)
    return bound
