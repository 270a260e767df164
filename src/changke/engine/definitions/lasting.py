"""What of a customer lasts from one day to the next, found in the definitions themselves.

A definition lasts when its rows about a customer can change only by a new fact of hers, or on the day on which one of
her facts comes to a certain age: `age < 90` turns on the day it is 90 days old, `last_on <= :today` on its own day. So
yesterday's row is today's for everybody else. `:today` said in any other way, a date that is computed,
or an input that does not last: the definition does not last, and is computed for everybody each time. So nobody has to
promise it, and a new definition cannot break it. A fact whose rows are of others' doing (`Fact.across`) does not last.
"""

from collections.abc import Collection

from sqlglot import exp

from changke.engine.definitions.checks import TODAY
from changke.engine.definitions.registry import Registry

_SAME_DATE = (exp.Min, exp.Max, exp.Coalesce, exp.Greatest, exp.Least, exp.Case, exp.If, exp.Cast, exp.Paren)
"""What hands on one of the dates it was given."""


class Lasting:
    """The lasting part of a registry.

    names
        The definitions that last.
    borders
        The ages in days at which a fact may change their rows; 0, the day itself, always among them, because nobody
        sees the facts of days to come.
    frontier
        Those of `names` that the others read, or that are asked for themselves: what has to be kept.
    steps
        What has to be computed on the way to them, themselves included.
    """

    def __init__(self, registry: Registry) -> None:
        self.names: set[str] = set()
        borders = {0}
        dates = _dates(registry)
        hers = {fact.name for fact in registry.facts.values() if not fact.across}
        for definition in registry.order:
            known = all(name in hers or name in self.names for name in definition.inputs)
            if definition.grain != "population" and known:
                found = ages(definition.query, dates)
                if found is not None:
                    self.names.add(definition.name)
                    borders |= found
        self.borders = tuple(sorted(borders))
        readers = {name: [one.name for one in registry.order if name in one.inputs] for name in self.names}
        wanted = {owner.name for owner in registry.owners.values()}
        asked = {one.name for one in (*registry.needed([*wanted, *_below(registry)]), *registry.populations)}
        self.frontier = frozenset(
            name for name, among in readers.items() if name in wanted or asked.intersection(among) - self.names
        )
        shared = {name for name, among in readers.items() if len(self.names.intersection(among)) > 1}
        self.steps = self.frontier | (shared & asked)


def ages(query: exp.Query, dates: Collection[str]) -> set[int] | None:
    """The ages in days at which the query answers differently for the same facts; None: not only then.

    Parameters
    ----------
    dates
        The columns that hold dates, whoever has them.
    """
    if any(_is_date(side, dates) for sum_ in query.find_all(exp.Add, exp.Sub) for side in (sum_.left, sum_.right)):
        return None
    found: set[int] = set()
    aliases: set[str] = set()
    for today in query.find_all(exp.Placeholder):
        if today.name != TODAY:
            continue
        parent = today.parent
        if isinstance(parent, exp.LTE) and parent.expression is today and isinstance(parent.this, exp.Column):
            found.add(0)
        elif isinstance(parent, exp.DateDiff) and parent.this is today and isinstance(parent.expression, exp.Column):
            if isinstance(parent.parent, exp.Alias) and parent.parent.alias not in query.named_selects:
                aliases.add(parent.parent.alias)
            elif (age := _border(parent)) is not None:
                found.add(age)
            else:
                return None
        else:
            return None
    for column in query.find_all(exp.Column):
        if column.name in aliases:
            if (age := _border(column)) is None:
                return None
            found.add(age)
    return found


def _border(age: exp.Expr) -> int | None:
    """N of `age < N` and `age >= N`."""
    parent = age.parent
    if not isinstance(parent, (exp.LT, exp.GTE)) or parent.this is not age:
        return None
    number = parent.expression
    return int(number.this) if isinstance(number, exp.Literal) and number.is_int else None


def _is_date(expression: exp.Expr, dates: Collection[str]) -> bool:
    if isinstance(expression, exp.Column):
        return expression.name in dates
    return isinstance(expression, _SAME_DATE) and any(_is_date(part, dates) for part in expression.iter_expressions())


def _below(registry: Registry) -> set[str]:
    """What the population's values stand on."""
    return {name for one in registry.populations for name in one.inputs if registry.is_inlined(name)}


def _dates(registry: Registry) -> set[str]:
    found = {name for fact in registry.facts.values() for name, kind in fact.columns.items() if kind == "date"}
    found |= {name for one in registry.order for name, kind in one.table.items() if kind == "DATE"}
    for definition in registry.order:
        for alias in definition.query.find_all(exp.Alias):
            if _is_date(alias.this, found):
                found.add(alias.alias)
    return found
