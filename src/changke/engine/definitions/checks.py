"""What a definition must not say. Each refusal is a run that once went wrong on one of the engines."""

from collections.abc import Iterable, Iterator, Mapping

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify

from changke.engine.definitions.definition import Definition, DefinitionError
from changke.engine.definitions.facts import TYPES

TODAY = "today"

FORBIDDEN: Mapping[type[exp.Expr], str] = {
    exp.Div: "'/' is a float on DuckDB and an integer on PostgreSQL: write '//', or give the ratio as two counts",
    exp.Round: "engines round halves differently: stay with integers",
    exp.CurrentDate: "the day is an argument, never the clock: write :today",
    exp.CurrentTimestamp: "the day is an argument, never the clock: write :today",
    exp.Rand: "a number that changes when asked again is not a definition",
    exp.Median: "medians are interpolated here and approximate there: take the order statistic by ROW_NUMBER",
    exp.PercentileCont: "quantiles are interpolated differently: take the order statistic by ROW_NUMBER",
    exp.Ntile: "NTILE splits ties by chance: compare with bounds",
    exp.Limit: "LIMIT picks by chance among equals: use ROW_NUMBER with a full order",
    exp.Star: "name the columns: a fact may get another one tomorrow",
}


def check(definition: Definition, tables: Mapping[str, Mapping[str, str]], *, complete: frozenset[str]) -> None:
    """Refuse the definition with file and line, or return.

    Parameters
    ----------
    tables
        Everything it could read: name to columns with their SQL types.
    complete
        The names among them that have a row for every customer.
    """
    for line, problem in _problems(definition, tables, complete):
        raise DefinitionError(definition.path, line, problem)


def _problems(
    definition: Definition, tables: Mapping[str, Mapping[str, str]], complete: frozenset[str]
) -> Iterator[tuple[int, str]]:
    query = definition.query
    yield from _wrong_inputs(definition, tables)
    for node in query.walk():
        if (reason := FORBIDDEN.get(type(node))) and not isinstance(node.parent, exp.Count):
            yield line_of(node), reason
        if isinstance(node, exp.Placeholder) and node.name not in {TODAY, *definition.settings}:
            yield line_of(node), f":{node.name} is not among its settings"
        if definition.keys and (reason := _sees_other_customers(node)):
            yield line_of(node), reason
        if isinstance(node, exp.Join) and (reason := _drops_customers(node, complete)):
            yield line_of(node), reason
    for name, kind in definition.settings.items():
        if kind not in TYPES:
            yield definition.inputs_line, f"setting {name} has the unknown type {kind!r}"
        if name not in {node.name for node in query.find_all(exp.Placeholder)}:
            yield definition.inputs_line, f"setting {name} is never used: remove it"

    yield from _broken_promises(definition)
    try:
        schema: dict[str, object] = {name: tables[name] for name in definition.inputs}
        qualify(query.copy(), schema=schema, dialect="duckdb", quote_identifiers=False)
    except OptimizeError as error:
        yield line_of(query), str(error)


def _wrong_inputs(definition: Definition, tables: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[int, str]]:
    query, line = definition.query, definition.inputs_line
    ctes = {cte.alias for cte in query.find_all(exp.CTE)}
    read = {table.name for table in query.find_all(exp.Table)} - ctes
    for cte in query.find_all(exp.CTE):
        if cte.alias in tables:  # a scope goes into every table of that name: it must not go into this one
            yield line_of(cte), f"the CTE {cte.alias} hides the table of that name: rename it"
    for name in definition.inputs:
        if name not in tables:
            yield line, f"unknown input {name}"
        if name not in read:
            yield line, f"input {name} is never read: remove it"
    for table in query.find_all(exp.Table):
        if table.name not in ctes and table.name not in definition.inputs:
            yield line_of(table), f"reads {table.name}, which is not among its inputs"
        if table.args.get("db"):
            yield line_of(table), f"reads {table.sql(dialect='duckdb')}: name the fact, it knows its schema"


def _sees_other_customers(node: exp.Expr) -> str | None:
    """One customer must equal her row among all: nothing may be counted or ranked across customers."""
    if isinstance(node, exp.Window) and "customer_id" not in _names(node.args.get("partition_by")):
        return "a window over other customers: PARTITION BY customer_id, or make a definition of grain population"
    if isinstance(node, exp.Select) and (node.args.get("group") or any(map(_aggregates, node.expressions))):
        group = node.args.get("group")
        if "customer_id" not in _names([group] if group else []):
            return "counts across customers: GROUP BY customer_id, or make a definition of grain population"
    return None


def _drops_customers(join: exp.Join, complete: frozenset[str]) -> str | None:
    """PostgreSQL takes a CTE to have 200 ids and an inner join of six of them to have one row, and loops over it."""
    joined = join.this
    if not isinstance(joined, exp.Table) or joined.name not in complete or join.side in {"LEFT", "FULL"}:
        return None
    return f"{joined.name} has a row for every customer: LEFT JOIN it: it says the same and PostgreSQL plans it well"


def _aggregates(projection: exp.Expr) -> bool:
    return any(not node.find_ancestor(exp.Window) for node in projection.find_all(exp.AggFunc))


def _names(nodes: Iterable[exp.Expr] | None) -> set[str]:
    return {column.name for node in nodes or [] for column in node.find_all(exp.Column)}


def _broken_promises(definition: Definition) -> Iterator[tuple[int, str]]:
    """The header and the query must name the same columns in the same order."""
    promised = [*definition.keys, *(column.name for column in definition.columns)]
    kept = definition.query.named_selects
    for column in definition.columns:
        if column.name not in kept:
            yield column.line, f"promises {column.name}, which the query does not select"
    for name, projection in zip(kept, definition.query.selects, strict=False):
        if name not in promised:
            yield line_of(projection), f"selects {name}, which the header does not promise"
    if kept != promised:
        yield line_of(definition.query), f"selects {', '.join(kept)}; the header promises {', '.join(promised)}"


def line_of(node: exp.Expr) -> int:
    """The line of the first word under the node, or of the nearest node above: SQLGlot marks identifiers only."""
    above: exp.Expr | None = node
    while above is not None:
        if lines := [int(child.meta["line"]) for child in above.walk() if "line" in child.meta]:
            return min(lines)
        above = above.parent
    return 1
