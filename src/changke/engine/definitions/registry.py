"""The folder of definitions: read once, checked whole, asked by column."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Self

from changke.engine.definitions.checks import check
from changke.engine.definitions.definition import Column, Definition, DefinitionError, read_definition
from changke.engine.definitions.facts import SPINE, TYPES, Fact

POPULATION_TABLE = "population_{name}"


class Registry:
    """Every definition by name, every attribute by name, and the order in which they can be computed.

    `attributes` is what can be asked about a customer, `owners` where each comes from, `order` inputs first.

    Parameters
    ----------
    definitions, facts
        What there is to compute, and what it may be computed from.
    population_table
        How the stored table of a definition of grain population is called, on every engine; `{name}` stands for the
        definition's name. Whoever fills it adds the column `version` (bigint).
    checked
        Definitions that another registry found good upon the same columns: they are not looked through again.

    Raises
    ------
    DefinitionError
        With file and line, if a definition would not mean the same on every engine.
    """

    def __init__(
        self,
        definitions: Iterable[Definition],
        facts: Iterable[Fact],
        *,
        population_table: str = POPULATION_TABLE,
        checked: Iterable[Definition] = (),
    ) -> None:
        self.facts = {fact.name: fact for fact in facts}
        self.definitions: Mapping[str, Definition] = {one.name: one for one in definitions}
        self.population_table = population_table
        for definition in self.definitions.values():
            if definition.name in self.facts:
                raise DefinitionError(
                    definition.path, 1, f"a fact is called {definition.name} already: rename the definition"
                )
        self.order = self._sorted()
        tables = {fact.name: {name: TYPES[kind] for name, kind in fact.columns.items()} for fact in self.facts.values()}
        tables |= {definition.name: definition.table for definition in self.definitions.values()}
        complete = frozenset({SPINE, *(one.name for one in self.order if one.grain == "customer")})
        known = {id(one) for one in checked}
        for definition in self.order:
            if id(definition) not in known:
                check(definition, tables, complete=complete)
        self.owners = self._owners()
        self.attributes: Mapping[str, Column] = {
            column.name: column for one in self.order if one.grain == "customer" for column in one.columns
        }

    @classmethod
    def read(cls, folder: Path, facts: Iterable[Fact], *, population_table: str = POPULATION_TABLE) -> Self:
        """Every `*.sql` file of the folder, checked."""
        found = [read_definition(path) for path in sorted(folder.glob("*.sql"))]
        return cls(found, facts, population_table=population_table)

    @property
    def settings(self) -> dict[str, str]:
        """Every setting that some definition needs bound, with its type."""
        return {name: kind for definition in self.order for name, kind in definition.settings.items()}

    @property
    def populations(self) -> list[Definition]:
        """The definitions that are computed for all by night, in the order in which they have to be filled."""
        return [definition for definition in self.order if definition.grain == "population"]

    def needed(self, names: Iterable[str]) -> list[Definition]:
        """The named definitions and all they stand on, each once, inputs first.

        A definition of grain population is not descended into: it cannot be computed for one customer, so it is
        computed for all by night and read as a small table.
        """
        wanted, found = list(names), set[str]()
        while wanted:
            name = wanted.pop()
            if name not in found and self.is_inlined(name):
                found.add(name)
                wanted += self.definitions[name].inputs
        return [definition for definition in self.order if definition.name in found]

    def is_inlined(self, name: str) -> bool:
        return name in self.definitions and self.definitions[name].grain != "population"

    def is_population(self, name: str) -> bool:
        return name in self.definitions and self.definitions[name].grain == "population"

    def _sorted(self) -> list[Definition]:
        graph = {one.name: sorted(set(one.inputs) & set(self.definitions)) for one in self.definitions.values()}
        try:
            return [self.definitions[name] for name in TopologicalSorter(graph).static_order()]
        except CycleError as error:
            ring = error.args[1]
            first = self.definitions[ring[0]]
            raise DefinitionError(first.path, first.inputs_line, f"a circle: {' -> '.join(ring)}") from None

    def _owners(self) -> dict[str, Definition]:
        """Which definition an attribute comes from. Two would be two answers to one question."""
        owners: dict[str, Definition] = {}
        for definition in (one for one in self.order if one.grain == "customer"):
            for column in definition.columns:
                if other := owners.get(column.name):
                    raise DefinitionError(
                        definition.path, column.line, f"{column.name} is already defined in {other.path}"
                    )
                owners[column.name] = definition
        return owners
