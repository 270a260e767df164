"""The same answers in steps: what several definitions read is computed once, as a table, and then read by all.

One statement computes a definition again for each value of the population that stands on it. For a run over everybody
it is cheaper to keep the shared ones for the length of the run. The definitions stay as they are: a kept one is
replaced by a SELECT from its table, which stands among the facts.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlglot import exp

from changke.engine.definitions.composer import Composer
from changke.engine.definitions.definition import Column, Definition
from changke.engine.definitions.facts import Fact
from changke.engine.definitions.registry import Registry
from changke.engine.definitions.statement import Statement

KEPT = "kept"
"""The schema or attached database of the tables; whoever runs the steps makes it."""


@dataclass(frozen=True)
class Step:
    """A table to make, by its qualified name, and the statement that fills it."""

    table: str
    statement: Statement


class Staged:
    """A registry in steps, over everybody on one engine.

    `steps` are run in their order; then `composer` answers over their tables: `population` first, `statement` last.

    Parameters
    ----------
    names
        The definitions that become tables, none of which stands on a population; those that are shared unless given.
    schema
        Where the tables lie.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        engine: str = "duckdb",
        names: Collection[str] | None = None,
        schema: str = KEPT,
    ) -> None:
        definitions = dict(registry.definitions)
        facts = dict(registry.facts)
        steps = []
        chosen = shared(registry) if names is None else [one.name for one in registry.order if one.name in names]
        for name in chosen:
            definition = registry.definitions[name]
            steps.append(Step(f"{schema}.{table_of(name)}", _filling(definition, definitions, facts, registry, engine)))
            facts[table_of(name)] = _fact(definition, schema)
            definitions[name] = _reading(definition)
        self.steps = tuple(steps)
        self.composer = Composer(_registry(definitions, facts, registry))


def shared(registry: Registry) -> list[str]:
    """The definitions that two or more others read and that stand on no population; inputs first."""
    found: list[str] = []
    free: set[str] = set(registry.facts)
    for definition in registry.order:
        if registry.is_population(definition.name) or not free.issuperset(definition.inputs):
            continue
        free.add(definition.name)
        if sum(definition.name in other.inputs for other in registry.order) > 1:
            found.append(definition.name)
    return found


def _filling(
    definition: Definition, definitions: dict[str, Definition], facts: dict[str, Fact], registry: Registry, engine: str
) -> Statement:
    if definition.grain == "customer":
        composer = Composer(_registry(definitions, facts, registry))
        return composer.statement([column.name for column in definition.columns], engine=engine)
    # Everything of it is wanted, its keys too: as if it were a value of the population.
    keys = tuple(_key(name, kind) for name, kind in definition.table.items() if name in definition.keys)
    whole = replace(definition, grain="population", columns=(*keys, *definition.columns))
    # Those who read it would read what is not there yet; they are not asked.
    others = {name: one for name, one in definitions.items() if name in _below(definition, definitions)}
    composer = Composer(_registry({**others, definition.name: whole}, facts, registry))
    return composer.population(definition.name, engine=engine)


def _below(definition: Definition, definitions: dict[str, Definition]) -> set[str]:
    wanted, found = list(definition.inputs), set[str]()
    while wanted:
        name = wanted.pop()
        if name in definitions and name not in found:
            found.add(name)
            wanted += definitions[name].inputs
    return found


def _registry(definitions: dict[str, Definition], facts: dict[str, Fact], registry: Registry) -> Registry:
    return Registry(
        definitions.values(),
        facts.values(),
        population_table=registry.population_table,
        checked=registry.definitions.values(),
    )


def table_of(name: str) -> str:
    """What the table of a definition is called."""
    return f"kept_{name}"


def _key(name: str, kind: str) -> Column:
    return Column(name, "date" if kind == "DATE" else "int", None, name, line=1)


def _fact(definition: Definition, schema: str) -> Fact:
    columns = {name: _key(name, kind).type for name, kind in definition.table.items() if name in definition.keys}
    columns |= {column.name: column.type for column in definition.columns}
    return Fact(table_of(definition.name), columns, day=None, schema=schema)


def _reading(definition: Definition) -> Definition:
    query = exp.select(*(exp.column(name) for name in definition.table)).from_(table_of(definition.name))
    return replace(definition, inputs=(table_of(definition.name),), settings={}, query=query, is_kept=True)
