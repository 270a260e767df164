"""One definition per number, three engines.

A definition is a small SQL file. The registry reads a folder of them and refuses what would not mean the same
everywhere; the composer picks those a question needs and makes one statement of them; an engine spells it.

    facts.py       what the definitions may read, where it lies, and which columns a scope goes into
    definition.py  one file: its header and its query
    registry.py    the folder: who needs whom
    checks.py      what a definition must not say, and why
    scope.py       whose facts, up to which day, and which version of the population's values
    cases.py       what the composer needs of a condition; conditions as a column
    assembly.py    the definitions of one statement, each complete for its scope
    lasting.py     which of them are the same tomorrow, and of whom
    composer.py    columns wanted -> one statement, kept
    statement.py   one statement -> the words and parameters of DuckDB, PostgreSQL, Spark

    registry = Registry.read(folder, FACTS)
    composer = Composer(registry)
    statement = composer.statement(["cash_365d", "silent_days"], engine="duckdb", scope=Scope([7, 8]))
    rows = connection.execute(statement.sql, statement.bind({"today": today, **scope.values, **settings}))
"""

from changke.engine.definitions.cases import Cases, Condition, Flag, values_of
from changke.engine.definitions.checks import TODAY
from changke.engine.definitions.composer import Composer, UnknownAttribute
from changke.engine.definitions.definition import Column, Definition, DefinitionError
from changke.engine.definitions.facts import SPINE, TYPES, Fact
from changke.engine.definitions.registry import Registry
from changke.engine.definitions.scope import POPULATION_VERSION, Scope, among
from changke.engine.definitions.statement import ENGINES, Statement

__all__ = [
    "ENGINES",
    "POPULATION_VERSION",
    "SPINE",
    "TODAY",
    "TYPES",
    "Cases",
    "Column",
    "Composer",
    "Condition",
    "Definition",
    "DefinitionError",
    "Fact",
    "Flag",
    "Registry",
    "Scope",
    "Statement",
    "UnknownAttribute",
    "among",
    "values_of",
]
