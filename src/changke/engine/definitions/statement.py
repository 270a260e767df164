"""The same statement in the words of each engine, with the parameters its driver wants."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

ENGINES = ("duckdb", "postgres", "spark")


@dataclass(frozen=True)
class Statement:
    """Text that can be kept for ever: it depends on what was asked and where, never on whom or when.

    `populations` are the stored tables it reads at the bound version; `kind` says about whom it asks: one, many or all.
    """

    engine: str
    sql: str
    columns: tuple[str, ...]
    parameters: tuple[str, ...]
    populations: tuple[str, ...] = ()
    kind: str = "all"

    def bind(self, values: Mapping[str, object]) -> list[object] | dict[str, object]:
        """What the driver gets beside the text; values that the statement does not need are left out.

        PostgreSQL wants a list and `psycopg.RawCursor`, whose $1 leaves % alone; DuckDB and Spark want names.

        Raises
        ------
        KeyError
            Naming the parameters that have no value.
        """
        if missing := [name for name in self.parameters if name not in values]:
            raise KeyError(f"the statement also needs {', '.join(missing)}")
        bound = {name: values[name] for name in self.parameters}
        return list(bound.values()) if self.engine == "postgres" else bound


def spell(
    query: exp.Query, *, engine: str, types: Mapping[str, str], populations: tuple[str, ...] = (), kind: str = "all"
) -> Statement:
    """Write the statement down. Every parameter is cast to its type, so that no engine has to guess it."""
    if engine not in ENGINES:
        raise ValueError(f"unknown engine {engine!r}; there are {', '.join(ENGINES)}")
    columns = tuple(query.named_selects)
    spelled: exp.Expr = query.transform(_as_postgres, copy=False) if engine == "postgres" else query
    if engine == "spark":
        _name_apart(spelled)
    numbers: dict[str, int] = {}
    for placeholder in list(spelled.find_all(exp.Placeholder, bfs=False)):
        number = numbers.setdefault(placeholder.name, len(numbers) + 1)
        named = exp.Parameter(this=exp.Literal.number(number)) if engine == "postgres" else placeholder.copy()
        placeholder.replace(exp.Cast(this=named, to=exp.DataType.build(types[placeholder.name], dialect="duckdb")))
    text = spelled.sql(dialect=engine, comments=False, copy=False)
    return Statement(engine, text, columns, tuple(numbers), populations, kind)


def _name_apart(query: exp.Expr) -> None:
    """Every CTE a name of its own, in place: for Spark SQLGlot moves those of inner queries to the top, where two
    definitions with a part of the same name would meet."""
    outermost = query.args.get("with_")
    inner = [found for found in query.find_all(exp.With) if found is not outermost]
    for number, one in enumerate(reversed(inner)):  # the innermost first: what it hides is no longer called so
        for cte in one.expressions:
            name = cte.alias
            apart = f"{name}_{number}"
            assert one.parent is not None
            for table in list(one.parent.find_all(exp.Table)):
                if table.name == name and not table.args.get("db"):
                    table.replace(exp.alias_(exp.table_(apart), table.alias_or_name, table=True))
            cte.set("alias", exp.TableAlias(this=exp.to_identifier(apart)))


def _as_postgres(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.In) and node.args.get("query") and (unnest := node.find(exp.Unnest)):
        # = ANY(array) walks the index; IN (SELECT UNNEST(array)) is planned as a join of unknown size.
        return exp.EQ(this=node.this, expression=exp.Any(this=exp.Paren(this=unnest.expressions[0])))
    if isinstance(node, exp.IntDiv):
        # SQLGlot writes DIV(a, b), which is numeric arithmetic; '/' of integers truncates, as // does on DuckDB.
        return exp.Div(this=node.this, expression=node.expression, typed=True, safe=False)
    return node
