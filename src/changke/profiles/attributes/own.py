"""A chain's own fields and scores as attributes: conditions ask `custom.skin`, `score.churn` as they ask `silent_days`.

Each field becomes a definition of its own beside the files of this room, made from what the chain defined. So the
composer answers it on every engine by the same statement, and nothing but this page knows that it came from a table.
Own fields are as known today, whatever day is asked about; of a score the latest value counts that speaks of no later
day, and `score.churn_on` is the day it speaks of.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import sqlglot
from sqlglot import exp

from changke.engine.definitions import Column, Composer, Fact, Registry
from changke.engine.definitions.definition import Definition
from changke.facts.fields.models import Field
from changke.facts.scores.models import Score
from changke.facts.tables import FACTS, FURTHER
from changke.profiles.attributes.catalogue import POPULATION_TABLE, REGISTRY
from changke.profiles.attributes.made import definitions_of

PREFIX = "custom."
SCORED = "score."
"""In conditions. Inside a statement the dot is an underscore."""

VALUES = Fact(
    "facts_fieldvalue",
    {"customer_id": "int", "field_id": "int", "text": "text", "number": "int", "day": "date"},
    day=None,
    schema=None,
)
"""A row per customer and field, so that a definition picks and needs not add up."""

TYPES: Mapping[str, tuple[str, str]] = {
    "text": ("text", "text"),
    "choice": ("text", "text"),
    "number": ("int", "number"),
    "money": ("money", "number"),
    "date": ("date", "day"),
    "yes_no": ("bool", "number = 1"),
}
"""Type of the attribute, and how it is read from the row."""

SCORES = next(fact for fact in FACTS if fact.name == "scores")
SCORE_TYPES: Mapping[str, tuple[str, str]] = {
    "chance": ("int", "(number + 50) // 100"),
    "number": ("int", "number"),
    "money": ("money", "number"),
    "label": ("text", "text"),
}
"""A chance is asked in whole percent, as the house's own are."""

Shape = tuple[int, str, str, tuple[str, ...], str]
"""Id, key, kind, choices and label: what the definition of a field depends on."""
ScoreShape = tuple[int, str, str, str]


@dataclass(frozen=True)
class Stored:
    """A table of a later room with a row per customer, and what conditions may ask of it.

    Parameters
    ----------
    columns
        Attribute -> type, how it is read from the row, and its name in English, which is its msgid.
    """

    fact: Fact
    columns: Mapping[str, tuple[str, str, str]]

    def definitions(self) -> Iterator[Definition]:
        for name, (kind, reading, words) in self.columns.items():
            yield _read_from(self.fact.name, name, kind, reading, "TRUE", words)


_stored: list[Stored] = []


def register_stored(one: Stored) -> Stored:
    """Let conditions ask a table of a later room. Later rooms register when they are imported."""
    _stored.append(one)
    _composer.cache_clear()
    return one


def composer_with(
    fields: Iterable[Field], scores: Iterable[Score] = (), *, language: str, deeds: Iterable[str] = ()
) -> Composer:
    """The house's attributes, those of these fields and scores, and what is made of these names (made.py). Kept while
    they stay as they are."""
    shapes = tuple((one.pk, one.key, one.kind, tuple(one.choices), one.label(language)) for one in fields)
    scored = tuple((one.pk, one.key, one.kind, one.label(language)) for one in scores)
    return _composer(shapes, scored, tuple(sorted(deeds)))


def own_column(column: str, composer: Composer) -> exp.Query:
    """The definition that a column of the chain's own comes from, its tables where they lie."""
    registry = composer.registry
    query = registry.owners[column].query.copy()
    for table in query.find_all(exp.Table):
        if schema := registry.facts[table.name].schema:
            table.set("db", exp.to_identifier(schema))
    return query


def attributes_of(composer: Composer) -> dict[str, Column]:
    """What conditions may ask: everything of the house, and what is the chain's own under its name with the dot."""
    return {asked(name): column for name, column in composer.registry.attributes.items()}


def asked(name: str) -> str:
    """What conditions call a column."""
    for prefix in (PREFIX, SCORED):
        inside = prefix.replace(".", "_")
        if name.startswith(inside):
            return prefix + name.removeprefix(inside)
    return name


@lru_cache(maxsize=16)
def _composer(shapes: tuple[Shape, ...], scores: tuple[ScoreShape, ...], deeds: tuple[str, ...]) -> Composer:
    own = [definition for shape in shapes for definition in _definitions(shape)]
    own += [_scored(*shape) for shape in scores]
    own += [definition for one in _stored for definition in one.definitions()]
    own += definitions_of(deeds)
    facts = [*REGISTRY.facts.values(), VALUES, *(one.fact for one in FURTHER.values()), *(one.fact for one in _stored)]
    built_in = REGISTRY.definitions.values()
    return Composer(Registry([*built_in, *own], facts, population_table=POPULATION_TABLE, checked=built_in))


def _definitions(shape: Shape) -> Iterable[Definition]:
    """One per field; of several choices one per choice, each a yes or no by its place in the list."""
    field_id, key, kind, choices, label = shape
    if kind != "choices":
        yield _definition(f"custom_{key}", field_id, *TYPES[kind], label)
        return
    for number, choice in enumerate(choices, start=1):
        held = f"STRPOS(text, {exp.Literal.string(f'|{choice}|').sql(dialect='duckdb')}) > 0"
        yield _definition(f"custom_{key}_{number}", field_id, "bool", held, f"{label}: {choice}")


def _definition(name: str, field_id: int, kind: str, reading: str, label: str) -> Definition:
    return _read_from(VALUES.name, name, kind, reading, f"field_id = {int(field_id)}", label)


def _scored(score_id: int, key: str, kind: str, label: str) -> Definition:
    """The latest value of a score and its day; of two that speak of one day the one that came later."""
    name = f"score_{key}"
    of_type, reading = SCORE_TYPES[kind]
    label = f"{label} (%)" if kind == "chance" else label
    query = sqlglot.parse_one(
        f"""
        SELECT customer_id, {reading} AS {name}, scored_on AS {name}_on
        FROM (
          SELECT customer_id, number, text, scored_on,
            ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY scored_on DESC, value_id DESC) AS place
          FROM scores WHERE score_id = {int(score_id)}
        ) AS said
        WHERE place = 1 AND (number IS NOT NULL OR text IS NOT NULL)
        """,  # noqa: S608 -- words of our own
        read="duckdb",
    )
    assert isinstance(query, exp.Query), "we wrote a SELECT"
    columns = (
        Column(name, of_type, None, label, line=1),
        Column(f"{name}_on", "date", None, label, line=1),
    )
    return Definition(Path(f"{name}.sql"), name, label, "customer", (SCORES.name,), {}, columns, query, inputs_line=1)


def _read_from(table: str, name: str, kind: str, reading: str, where: str, words: str) -> Definition:
    """A definition of one column that reads a table with a row per customer."""
    query = sqlglot.parse_one(
        f"SELECT customer_id, {reading} AS {name} FROM {table} WHERE {where}",  # noqa: S608 -- words of our own
        read="duckdb",
    )
    assert isinstance(query, exp.Query), "we wrote a SELECT"
    column = Column(name, kind, None, words, line=1)
    return Definition(Path(f"{name}.sql"), name, words, "customer", (table,), {}, (column,), query, inputs_line=1)
