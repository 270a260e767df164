"""Columns wanted -> exactly the definitions needed -> one statement, made once and kept while it is asked for."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from threading import Lock

from sqlglot import exp

from changke.engine.definitions.assembly import Assembly, same_customer
from changke.engine.definitions.cases import Answer, Condition
from changke.engine.definitions.definition import Definition
from changke.engine.definitions.facts import SPINE, TYPES
from changke.engine.definitions.registry import Registry
from changke.engine.definitions.scope import PARAMETERS, Kind, Scope
from changke.engine.definitions.statement import Statement, spell

KEPT = 1000
"""Statements kept. The product's own questions are some dozens; the rest are shapes of conditions that users make."""


class UnknownAttribute(KeyError):
    """Nobody defines this attribute."""


class Composer:
    """Asks a registry, and keeps the statements it made: making one takes some 10 to 60 ms, finding it none.

    Parameters
    ----------
    registry
        What can be asked.
    kept
        How many statements are kept, the longest unused going first.
    """

    def __init__(self, registry: Registry, *, kept: int = KEPT) -> None:
        self.registry = registry
        self._types = {**PARAMETERS, **{name: TYPES[kind] for name, kind in registry.settings.items()}}
        self._kept: OrderedDict[Hashable, Statement] = OrderedDict()
        self._limit = kept
        self._lock = Lock()

    def statement(
        self,
        columns: Sequence[str],
        *,
        engine: str,
        scope: Scope | None = None,
        where: Condition | None = None,
        cases: Mapping[str, Answer] | None = None,
    ) -> Statement:
        """The statement that answers with one row per customer in scope.

        Parameters
        ----------
        columns
            Attributes, in the order wanted. `customer_id` always comes first.
        engine
            "duckdb", "postgres" or "spark".
        scope
            Whom to ask about; only its kind is written into the text.
        where
            Keep only whom this fits.
        cases
            Further columns made of conditions, after the attributes: a lifecycle model is one of them.

        Raises
        ------
        UnknownAttribute
            If a column, `where` or a case asks for what nobody defines.
        """
        kind, cases = (scope or Scope()).kind, cases or {}
        shapes = tuple((name, answer.shape) for name, answer in cases.items())
        key = (tuple(columns), engine, kind, where.shape if where else None, shapes)

        def make() -> Statement:
            types = {**self._types, **(where.types if where else {})}
            for name, answer in cases.items():
                types |= answer.types(name)
            query, assembly = self._about_customers(columns, engine, kind, where, cases)
            return spell(query, engine=engine, types=types, populations=assembly.populations, kind=kind)

        return self._keep(key, make)

    def stored(
        self,
        columns: Sequence[str],
        *,
        table: str,
        engine: str,
        where: Condition | None = None,
        cases: Mapping[str, Answer] | None = None,
    ) -> Statement:
        """The same question to a table in which the attributes stand already, one row per customer.

        For a segment over all: what was computed by night need not be computed again. `table` has `customer_id` and
        a column for every attribute asked for; nobody checks how old its rows are.
        """
        cases = cases or {}
        shapes = tuple((name, answer.shape) for name, answer in cases.items())

        def make() -> Statement:
            types = dict(where.types if where else {})
            for name, answer in cases.items():
                types |= answer.types(name)
            query = exp.select("customer_id", *(exp.column(name) for name in columns)).from_(table, copy=False)
            query.select(*(answer.sql(name, exp.column).as_(name) for name, answer in cases.items()), copy=False)
            if where:
                query.where(where.sql(exp.column), copy=False)
            return spell(query, engine=engine, types=types)

        return self._keep((table, tuple(columns), engine, where.shape if where else None, shapes), make)

    def population(self, name: str, *, engine: str) -> Statement:
        """The statement that computes the values of a definition of grain population. Always over everyone.

        Whoever stores the rows adds their `version`, in the table `registry.population_table`, in the order of
        `registry.populations`, because one may read another at the same version. It must not be empty: a definition
        of grain population yields a row even where nobody bought yet.
        """

        def make() -> Statement:
            definition = self.registry.definitions[name]
            needed = self.registry.needed(definition.inputs)
            assembly = Assembly(self.registry, needed, engine=engine, kind="all", outermost=definition)
            query = exp.select(*(column.read(name) for column in definition.columns))
            query = assembly.put_before(query.from_(assembly.body(definition), copy=False))
            return spell(query, engine=engine, types=self._types, populations=assembly.populations)

        return self._keep(("population", name, engine), make)

    def rows(self, name: str, *, engine: str, scope: Scope | None = None, ordered: bool = True) -> Statement:
        """The rows of a definition of a finer grain (customer day, customer receipt), in the order of its keys unless
        that is left to whoever reads them."""
        kind = (scope or Scope()).kind

        def make() -> Statement:
            definition = self.registry.definitions[name]
            needed = self.registry.needed(definition.inputs)
            assembly = Assembly(self.registry, needed, engine=engine, kind=kind, outermost=definition)
            keys = [exp.column(key, table=name) for key in definition.keys]
            query = exp.select(*keys, *(column.read(name) for column in definition.columns))
            query.from_(assembly.body(definition), copy=False)
            if ordered:
                query.order_by(*(key.copy() for key in keys), copy=False)
            query = assembly.put_before(query)
            return spell(query, engine=engine, types=self._types, populations=assembly.populations, kind=kind)

        return self._keep(("rows", name, engine, kind, ordered), make)

    def _keep(self, key: Hashable, make: Callable[[], Statement]) -> Statement:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()  # outside of the lock: two threads may make the same one, and the first to come is kept
        with self._lock:
            made = self._kept.setdefault(key, made)
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return made

    def _about_customers(
        self,
        columns: Sequence[str],
        engine: str,
        kind: Kind,
        where: Condition | None,
        cases: Mapping[str, Answer],
    ) -> tuple[exp.Select, Assembly]:
        asked = [*columns, *(where.attributes if where else ())]
        asked += [name for answer in cases.values() for name in answer.attributes]
        homes = {name: self._home(name) for name in asked}
        wanted = list(dict.fromkeys(home.name for home in homes.values()))
        needed = self.registry.needed(wanted)
        assembly = Assembly(self.registry, needed, engine=engine, kind=kind, outermost=None)

        def column(name: str) -> exp.Expr:
            """An attribute where it stands: complete already, or to be completed by the outermost join."""
            home = homes[name]
            if home.name in assembly.inner:
                return exp.column(name, table=home.name)
            return self.registry.attributes[name].value(home.name)

        query = exp.select(exp.column("customer_id", table=SPINE), *(column(name).as_(name) for name in columns))
        query.select(*(answer.sql(name, column).as_(name) for name, answer in cases.items()), copy=False)
        query.from_(SPINE, copy=False)
        for name in wanted:
            query.join(name, on=same_customer(SPINE, name), join_type="left", copy=False)
        if where:
            query.where(where.sql(column), copy=False)
        return assembly.put_before(assembly.narrowed(query)), assembly

    def _home(self, attribute: str) -> Definition:
        if attribute not in self.registry.owners:
            raise UnknownAttribute(f"no definition has the attribute {attribute!r}")
        return self.registry.owners[attribute]
