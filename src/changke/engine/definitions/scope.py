"""Whose facts, up to which day, which version of the population's values: pushed into every table a statement reads.

Pushed there and not into the result, because a filter above a GROUP BY reads the whole table first; and as a
subquery in the place of the table, never as a further WHERE, because the fact may stand in an outer join.

A scope never narrows by store: whoever may see a customer sees the same number about her. Whom one may see is chosen
by the ids that are asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from sqlglot import exp

from changke.engine.definitions.checks import TODAY
from changke.engine.definitions.facts import Fact
from changke.engine.definitions.registry import Registry

POPULATION_VERSION = "population_version"

PARAMETERS: Mapping[str, str] = {
    TODAY: "DATE",
    "customer_id": "BIGINT",
    "customer_ids": "BIGINT[]",
    POPULATION_VERSION: "BIGINT",
}

Kind = Literal["all", "one", "many"]
Q = TypeVar("Q", bound=exp.Query)


@dataclass(frozen=True)
class Scope:
    """One customer, some, or (None) all."""

    customers: int | Sequence[int] | None = None

    @property
    def kind(self) -> Kind:
        """What the text of a statement depends on; the ids themselves are bound."""
        if self.customers is None:
            return "all"
        return "one" if isinstance(self.customers, int) else "many"

    @property
    def values(self) -> dict[str, object]:
        """What has to be bound for this scope, beside the day."""
        if self.customers is None:
            return {}
        if isinstance(self.customers, int):
            return {"customer_id": self.customers}
        return {"customer_ids": list(self.customers)}


def narrow(query: Q, registry: Registry, kind: Kind, *, shared: frozenset[str] = frozenset()) -> Q:
    """Put in the place of every fact and population table only what the scope may see of it, from where it lies.

    The facts that are `shared` stand in the WITH of the statement already and are read from there.
    """
    for table in list(query.find_all(exp.Table)):
        if registry.is_population(table.name):
            part = _at_version(registry, table.name)
        elif (fact := registry.facts.get(table.name)) and fact.name not in shared:
            part = seen(fact, kind)
        else:
            continue
        table.replace(part.subquery(table.alias_or_name, copy=False))
    return query


def seen(fact: Fact, kind: Kind) -> exp.Select:
    """What the scope may see of a fact."""
    columns = (exp.column(name) for name in fact.columns)
    return exp.select(*columns).from_(exp.table_(fact.name, db=fact.schema)).where(*_limits(fact, kind), copy=False)


def _at_version(registry: Registry, name: str) -> exp.Select:
    columns = (exp.column(column.name) for column in registry.definitions[name].columns)
    stored = exp.table_(registry.population_table.format(name=name))
    version = exp.column("version").eq(exp.Placeholder(this=POPULATION_VERSION))
    return exp.select(*columns).from_(stored).where(version, copy=False)


def _limits(fact: Fact, kind: Kind) -> Iterator[exp.Expr]:
    if fact.day:
        yield exp.column(fact.day) <= exp.Placeholder(this=TODAY)
    if fact.customer and kind == "one":
        yield exp.column(fact.customer).eq(exp.Placeholder(this="customer_id"))
    if fact.customer and kind == "many":
        yield among(exp.column(fact.customer), "customer_ids")


def among(column: exp.Expr, parameter: str) -> exp.In:
    """`column` is in the bound list. DuckDB and Spark make a semi-join of it; PostgreSQL gets = ANY."""
    unnested = exp.Unnest(expressions=[exp.Placeholder(this=parameter)])
    return exp.In(this=column, query=exp.select(unnested).subquery())
