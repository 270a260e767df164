"""One definition: a header that promises, a query that keeps it.

-- purchase_counts: how often she bought.             grain: customer
-- inputs: purchases
-- settings: gap_weight int                           (only where there are some)
-- purchases       int=0   paid receipts              =0 is what a customer has of whom nothing is known
-- first_purchase  date    day of her first purchase  without it, absent is NULL: unknown
SELECT customer_id, COUNT(*) AS purchases, ...
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from changke.engine.definitions.facts import TYPES

GRAINS: Mapping[str, tuple[str, ...]] = {
    "customer": ("customer_id",),
    "customer day": ("customer_id", "business_date"),
    "customer receipt": ("customer_id", "receipt_id"),
    "population": (),
}

TITLE = re.compile(r"--\s*(\w+):\s+(.+?)\s+grain:\s*(.+?)\s*$")
LISTING = re.compile(r"--\s*(inputs|settings):\s*(.*?)\s*$")
COLUMN = re.compile(r"--\s*(\w+)\s+(\w+)(?:=(\S+))?\s+(.+?)\s*$")


class DefinitionError(Exception):
    """A definition that cannot be trusted, by file and line, with what to do about it."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")


@dataclass(frozen=True)
class Column:
    """One number or word about a customer: its type, its value where nothing happened, its name in plain words."""

    name: str
    type: str
    absent: str | None
    words: str
    line: int

    def read(self, table: str) -> exp.Expr:
        """`value` under the column's own name."""
        return exp.alias_(self.value(table), self.name, copy=False)

    def value(self, table: str) -> exp.Expr:
        """The column of `table`, as the header promises it: never missing where absent means 0, never a HUGEINT."""
        value: exp.Expr = exp.column(self.name, table=table)
        if self.absent is not None:
            value = exp.func("COALESCE", value, sqlglot.parse_one(self.absent, read="duckdb"))
        return exp.cast(value, TYPES[self.type])


@dataclass(frozen=True)
class Definition:
    """One file, read. `line` of a column and `inputs_line` are where a refusal points."""

    path: Path
    name: str
    says: str
    grain: str
    inputs: tuple[str, ...]
    settings: Mapping[str, str]
    columns: tuple[Column, ...]
    query: exp.Query
    inputs_line: int
    is_kept: bool = False
    """Its query reads a table of its own rows, typed and complete already."""

    @property
    def keys(self) -> tuple[str, ...]:
        return GRAINS[self.grain]

    @property
    def table(self) -> dict[str, str]:
        """Name and SQL type of every column, for whoever reads this definition as a table."""
        keys = {"customer_id": "BIGINT", "business_date": "DATE", "receipt_id": "BIGINT"}
        return {key: keys[key] for key in self.keys} | {column.name: TYPES[column.type] for column in self.columns}


def read_definition(path: Path) -> Definition:
    """Read one file. What it says about itself is checked later, when its neighbours are known."""
    text = path.read_text(encoding="utf-8")
    header = [line for line in text.splitlines() if line.startswith("--")]
    if not header or not (title := TITLE.match(header[0])):
        raise DefinitionError(path, 1, "the first line must read '-- name: what it says.  grain: customer'")
    name, says, grain = title.groups()
    if name != path.stem:
        raise DefinitionError(path, 1, f"the definition is called {name}, its file {path.stem}")
    if grain not in GRAINS:
        raise DefinitionError(path, 1, f"unknown grain {grain!r}; there are {', '.join(map(repr, GRAINS))}")

    lists, columns, inputs_line = {"inputs": "", "settings": ""}, [], 1
    for number, line in enumerate(header[1:], start=2):
        if listing := LISTING.match(line):
            lists[listing[1]] = listing[2]
            inputs_line = number if listing[1] == "inputs" else inputs_line
        else:
            columns.append(_column(path, number, line))
    inputs = tuple(filter(None, (word.strip() for word in lists["inputs"].split(","))))
    settings = _settings(path, inputs_line, lists["settings"])
    return Definition(path, name, says, grain, inputs, settings, tuple(columns), _query(path, text), inputs_line)


def _column(path: Path, number: int, line: str) -> Column:
    if not (column := COLUMN.match(line)):
        raise DefinitionError(path, number, "a column reads '-- name  type  words'")
    name, kind, absent, words = column.groups()
    if kind not in TYPES:
        raise DefinitionError(path, number, f"unknown type {kind!r}; there are {', '.join(TYPES)}")
    return Column(name, kind, absent, words, line=number)


def _settings(path: Path, line: int, listed: str) -> dict[str, str]:
    settings = {}
    for pair in filter(None, (pair.strip() for pair in listed.split(","))):
        match pair.split():
            case [name, kind]:
                settings[name] = kind
            case _:
                raise DefinitionError(path, line, f"a setting reads 'name type', not {pair!r}")
    return settings


def _query(path: Path, text: str) -> exp.Query:
    try:
        query = sqlglot.parse_one(text, read="duckdb")
    except SqlglotError as error:
        found = getattr(error, "errors", None) or [{"line": 1, "description": str(error)}]
        raise DefinitionError(path, found[0]["line"] or 1, found[0]["description"]) from None
    if not isinstance(query, exp.Query):
        raise DefinitionError(path, 1, "a definition is one SELECT")
    query.comments = []
    return query
