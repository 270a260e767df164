"""The definitions of one statement, each made complete for its scope: what stands in its WITH.

SQLGlot's builders copy the whole tree at every step unless told `copy=False`: two thirds of the assembling, before.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlglot import exp

from changke.engine.definitions.definition import Definition
from changke.engine.definitions.facts import SPINE
from changke.engine.definitions.registry import Registry
from changke.engine.definitions.scope import Kind, narrow, seen

Q = TypeVar("Q", bound=exp.Query)


class Assembly:
    """Definitions put together for one engine and one kind of scope.

    Parameters
    ----------
    needed
        The definitions that are inlined, inputs first.
    outermost
        Of grain population: the definition that the statement is about.
    """

    def __init__(
        self, registry: Registry, needed: Sequence[Definition], *, engine: str, kind: Kind, outermost: Definition | None
    ) -> None:
        self.registry, self.needed, self.kind, self.outermost = registry, needed, kind, outermost
        self.engine = engine
        readers = Counter(name for definition in self._all() for name in definition.inputs)
        self.inner = frozenset(readers)
        """What is read by another definition: it has to be complete where it stands."""
        self.shared = frozenset(
            fact.name
            for fact in registry.facts.values()
            # Everybody's returns, found four times, were an eighth of a bulk run; of a thousand, found five times, they
            # were most of it. PostgreSQL keeps its statistics of a view and knows nothing of a CTE, so that everybody
            # is planned there without.
            if fact.costly and readers[fact.name] > 1 and (kind == "many" or (kind == "all" and engine != "postgres"))
        )

    @property
    def populations(self) -> tuple[str, ...]:
        """The stored tables that the statement reads."""
        names = {name for one in self._all() for name in one.inputs if self.registry.is_population(name)}
        return tuple(self.registry.population_table.format(name=name) for name in sorted(names))

    def put_before(self, query: exp.Select) -> exp.Select:
        """The query, with everything it reads in its WITH."""
        for name in sorted(self.shared):
            query.with_(name, as_=seen(self.registry.facts[name], self.kind), copy=False)
        for definition in self.needed:
            # What only the outermost select reads is completed there: one join less over everyone.
            in_between = definition.name in self.inner and not definition.is_kept
            made = self._complete(definition) if in_between else self.narrowed(definition.query.copy())
            # DuckDB would copy all columns of a table that stands there already.
            materialized = False if definition.is_kept and self.engine == "duckdb" else None
            query.with_(definition.name, as_=made, materialized=materialized, copy=False)
        return query

    def body(self, definition: Definition) -> exp.Subquery:
        """The definition's own query under its name."""
        return self.narrowed(definition.query.copy()).subquery(definition.name, copy=False)

    def narrowed(self, query: Q) -> Q:
        """The query, reading of every fact only what the scope may see. Not twice: what was narrowed names facts."""
        return narrow(query, self.registry, self.kind, shared=self.shared)

    def _complete(self, definition: Definition) -> exp.Query:
        """The definition as the header promises it: typed, and of grain customer with one row for every customer.

        So that what is 0 outside is 0 inside too, and a definition that builds on another may simply join it.
        """
        read = [column.read(definition.name) for column in definition.columns]
        if definition.grain != "customer":
            keys = (exp.column(key, table=definition.name) for key in definition.keys)
            return exp.select(*keys, *read).from_(self.body(definition), copy=False)
        complete = exp.select(exp.column("customer_id", table=SPINE), *read).from_(SPINE, copy=False)
        self.narrowed(complete)
        on = same_customer(SPINE, definition.name)
        return complete.join(self.body(definition), on=on, join_type="left", copy=False)

    def _all(self) -> Iterator[Definition]:
        yield from self.needed
        if self.outermost:
            yield self.outermost


def same_customer(one: str, other: str) -> exp.EQ:
    return exp.column("customer_id", table=one).eq(exp.column("customer_id", table=other))
