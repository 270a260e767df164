"""Whether she wore a tag on a day as an attribute: `tag_742309867120931145` is asked as `silent_days` is.

A name of a column holds letters and digits, a tag any text. So the column is named by the tag's number (`tag_key`),
from which its definition is made; the text stays with whoever asked, in the words of the column.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import sqlglot
from sqlglot import exp

from changke.engine.definitions import Column
from changke.engine.definitions.definition import Definition
from changke.facts.customers.rules import tag_key

NAME = re.compile(r"tag_(\d{1,19})")


def tag_column(tag: str) -> Column:
    """The column of a tag, with its text as words. Who does not wear it does not: that is never unknown."""
    return replace(column_of(f"tag_{tag_key(tag)}"), words=tag)


def column_of(name: str) -> Column:
    """The column of that name; its text nobody knows here."""
    return Column(name, "bool", "FALSE", name.replace("_", " "), line=1)


def is_worn(name: str) -> bool:
    return bool(NAME.fullmatch(name))


def definitions_of(names: Iterable[str]) -> list[Definition]:
    return [_definition(int(found[1])) for name in sorted(set(names)) if (found := NAME.fullmatch(name))]


def _definition(key: int) -> Definition:
    column = column_of(f"tag_{key}")
    query = sqlglot.parse_one(
        f"SELECT customer_id, COUNT(*) > 0 AS {column.name} FROM worn"  # noqa: S608 -- a number and words of our own
        f" WHERE tag_key = {key} AND (ended_on IS NULL OR ended_on > :today) GROUP BY customer_id",
        read="duckdb",
    )
    assert isinstance(query, exp.Query), "we wrote a SELECT"
    return Definition(
        Path(f"{column.name}.sql"), f"of_{column.name}", column.words, "customer", ("worn",), {}, (column,), query,
        inputs_line=1,
    )  # fmt: skip
