"""Columns wanted -> exactly the definitions needed -> one statement, made once and kept while it is asked for.

SQLGlot's builders copy the whole tree at every step unless told `copy=False`: two thirds of the assembling, before.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from threading import Lock

from sqlglot import exp

from changke.engine.definitions.cases import Answer, Condition
from changke.engine.definitions.definition import Definition
from changke.engine.definitions.facts import SPINE, TYPES
from changke.engine.definitions.registry import Registry
from changke.engine.definitions.scope import PARAMETERS, Kind, Scope, everyone, narrow
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
            query, read = self._about_customers(columns, kind, where, cases)
            return spell(query, engine=engine, types=types, populations=self._stored(read), one=kind == "one")

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
            read = self.registry.needed(definition.inputs)
            query = exp.select(*(column.read(name) for column in definition.columns))
            query = query.from_(self._body(definition, "all"), copy=False)
            for one in read:
                query.with_(one.name, as_=self._complete(one, "all"), copy=False)
            return spell(query, engine=engine, types=self._types, populations=self._stored([definition, *read]))

        return self._keep(("population", name, engine), make)

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

    def _stored(self, read: Iterable[Definition]) -> tuple[str, ...]:
        names = {name for definition in read for name in definition.inputs if self.registry.is_population(name)}
        return tuple(self.registry.population_table.format(name=name) for name in sorted(names))

    def _about_customers(
        self, columns: Sequence[str], kind: Kind, where: Condition | None, cases: Mapping[str, Answer]
    ) -> tuple[exp.Select, list[Definition]]:
        asked = [
            *columns,
            *(where.attributes if where else ()),
            *(n for answer in cases.values() for n in answer.attributes),
        ]
        homes = {name: self._home(name) for name in asked}
        wanted = list(dict.fromkeys(home.name for home in homes.values()))
        needed = self.registry.needed(wanted)
        inner = {name for definition in needed for name in definition.inputs}

        def column(name: str) -> exp.Expr:
            """An attribute where it stands: complete already, or to be completed by the outermost join."""
            home = homes[name]
            if home.name in inner:
                return exp.column(name, table=home.name)
            return self.registry.attributes[name].value(home.name)

        query = exp.select(exp.column("customer_id", table=SPINE), *(column(name).as_(name) for name in columns))
        query.select(*(answer.sql(name, column).as_(name) for name, answer in cases.items()), copy=False)
        query.from_(SPINE, copy=False)
        for name in wanted:
            query.join(name, on=same_customer(SPINE, name), join_type="left", copy=False)
        if where:
            query.where(where.sql(column), copy=False)
        narrow(query, self.registry, kind)
        for definition in needed:
            made = self._complete(definition, kind) if definition.name in inner else self._narrowed(definition, kind)
            query.with_(definition.name, as_=made, copy=False)
        return query, needed

    def _home(self, attribute: str) -> Definition:
        if attribute not in self.registry.owners:
            raise UnknownAttribute(f"no definition has the attribute {attribute!r}")
        return self.registry.owners[attribute]

    def _complete(self, definition: Definition, kind: Kind) -> exp.Query:
        """The definition as the header promises it: typed, and of grain customer with one row for every customer.

        So that what is 0 outside is 0 inside too, and a definition that builds on another may simply join it.
        What only the outermost select reads is completed there: one join less over everyone.
        """
        read = [column.read(definition.name) for column in definition.columns]
        body = self._body(definition, kind)
        if definition.grain != "customer":
            keys = (exp.column(key, table=definition.name) for key in definition.keys)
            return exp.select(*keys, *read).from_(body, copy=False)
        complete = everyone().select(*read, copy=False)
        narrow(complete, self.registry, kind)
        return complete.join(body, on=same_customer(SPINE, definition.name), join_type="left", copy=False)

    def _body(self, definition: Definition, kind: Kind) -> exp.Subquery:
        return self._narrowed(definition, kind).subquery(definition.name, copy=False)

    def _narrowed(self, definition: Definition, kind: Kind) -> exp.Query:
        return narrow(definition.query.copy(), self.registry, kind)


def same_customer(one: str, other: str) -> exp.EQ:
    return exp.column("customer_id", table=one).eq(exp.column("customer_id", table=other))
