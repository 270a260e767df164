"""Everybody's profile column by column, beside the rows of PostgreSQL: five numbers are asked of five columns, where a
row has ninety. docs/decisions/0077, 0098

The copy (`copies`) is of one moment. Whoever had a fact since is left out of it and asked of PostgreSQL, so that the
answer is that of PostgreSQL at every moment; and so is everybody where there is no copy, or one of another night.
Questions beyond attributes are sets of customers, handed over as ids: what she did in a window is told by the columns
of deeds (`windows`); tags, consents, events and frozen lists by PostgreSQL.
"""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from django.db import connection
from numpy.typing import NDArray
from sqlglot import exp

from changke.foundation.database.rows_seen import now_seen, seeing
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.attributes.queries import last_bulk_run
from changke.profiles.conditions import Condition
from changke.profiles.conditions.tree import Asked as Set
from changke.profiles.segments.asking import CARD, FROM, STAGE, Words, bound, column_of, question, today_of
from changke.profiles.segments.copies import OWN, Copy, changed_since, is_of_the_last_run, latest, named

MOST_CHANGED = 2_000
"""Customers with a fact since the copy up to which it is asked: so many more are 30 ms of PostgreSQL."""

COPIED = frozenset({*REGISTRY.attributes, STAGE, *CARD})
"""What has a column in the copy; own fields and scores are copied as rows. Stages of other models than the first, and
what is expected of her, are asked of PostgreSQL."""

Ids = NDArray[np.int64]


def count(condition: Condition | None, words: Words, *, now: dt.datetime, scope: Scope) -> int | None:
    """How many it fits; None where PostgreSQL has to be asked."""
    asked = _asked(condition, words, now=now, scope=scope)
    if asked is None:
        return None
    [(found,)] = asked.copied("SELECT COUNT(*)")
    return int(found) + (int(asked.changed("COUNT(*)")[0][0]) if asked.ids else 0)


def sample(condition: Condition, words: Words, *, now: dt.datetime, scope: Scope, most: int) -> list[int] | None:
    """A few of them, the most valuable first; None where PostgreSQL has to be asked."""
    asked = _asked(condition, words, now=now, scope=scope)
    if asked is None:
        return None
    order = f" ORDER BY value_at_risk DESC NULLS FIRST, customer_id LIMIT {int(most)}"
    rows = asked.copied("SELECT value_at_risk, customer_id", order)
    rows += asked.changed("value_at_risk, customer_id") if asked.ids else []
    # PostgreSQL puts what is unknown first where it counts down.
    rows.sort(key=lambda row: (row[0] is not None, -(row[0] or 0), row[1]))
    return [int(pk) for _, pk in rows[:most]]


def everybody(condition: Condition, words: Words, *, now: dt.datetime) -> Ids | None:
    """The ids of all whom it fits, in order; None where PostgreSQL has to be asked."""
    with seeing(CHAIN_WIDE):
        asked = _asked(condition, words, now=now, scope=CHAIN_WIDE)
        if asked is None:
            return None
        found = asked.cursor.execute(asked.statement("SELECT customer_id"), asked.values).fetchnumpy()["customer_id"]
        late = [pk for (pk,) in asked.changed("customer_id")] if asked.ids else []
    return np.sort(np.concatenate((np.ma.getdata(found).astype(np.int64), np.array(late, np.int64))))


@dataclass(frozen=True)
class Asked:
    """A question, ready for the copy and for PostgreSQL."""

    condition: Condition | None
    words: Words
    today: dt.date
    scope: Scope
    ids: Sequence[int]
    """Customers with a fact since the copy: PostgreSQL is asked about them."""
    cursor: duckdb.DuckDBPyConnection
    where: str
    values: Mapping[str, Any]

    def statement(self, what: str, after: str = "") -> str:
        return f"{what} FROM {FROM} WHERE {self.where}{after}"

    def copied(self, what: str, after: str = "") -> list[tuple[Any, ...]]:
        return self.cursor.execute(self.statement(what, after), self.values).fetchall()

    def changed(self, what: str) -> list[tuple[Any, ...]]:
        said = question(self.condition, self.words, today=self.today, scope=self.scope, ids=self.ids)
        with connection.cursor() as sql:
            sql.execute(f"SELECT {what} FROM {FROM} WHERE {said.where}", said.values)
            return list(sql.fetchall())


def _asked(condition: Condition | None, words: Words, *, now: dt.datetime, scope: Scope) -> Asked | None:
    beyond = set(condition.attributes) - COPIED if condition is not None else set()
    own = tuple(table for table, prefix in OWN.items() if any(name.startswith(prefix) for name in beyond))
    if any(not name.startswith(tuple(OWN.values())) for name in beyond):
        return None
    seen = opened(scope, own=own)
    if seen is None:
        return None
    today = today_of(the_chain(), now)
    where, values = _over_columns(condition, words, seen.copy, seen.cursor, today)
    where, values = f"{where}{seen.where}", values | dict(seen.values)
    return Asked(condition, words, today, scope, seen.ids, seen.cursor, where, values)


@dataclass(frozen=True)
class Opened:
    """The copy, ready to be asked about whom a scope sees; `where` follows a condition."""

    copy: Copy
    ids: Sequence[int]
    """Customers with a fact since, who are left out."""
    cursor: duckdb.DuckDBPyConnection
    where: str
    values: Mapping[str, Any]


def opened(scope: Scope, *, own: tuple[str, ...] = (), expected: bool = False) -> Opened | None:
    """None where PostgreSQL has to be asked. `own`: what else may have said something since, of `copies.OWN`.
    `expected`: it will be asked for predictions, too."""
    copy, run = latest(), last_bulk_run()
    if copy is None or run is None or copy.run != named(run) or (expected and not is_of_the_last_run(copy)):
        return None
    seen = now_seen()
    if scope.by_person or seen.by_person:
        return None  # the copy knows homes, neither visits nor who is her adviser this minute
    ids = changed_since(copy, MOST_CHANGED + 1, own=own, expected=expected)
    if len(ids) > MOST_CHANGED:
        return None
    cursor, where, values = copy.cursor(), "", dict[str, Any]()
    for name, some in (("only_stores", scope.store_ids), ("seen_stores", seen.store_ids)):
        if some is not None:
            where += f" AND list_contains(${name}::BIGINT[], one.home_store_id)"
            values[name] = sorted(some)
    if ids:
        cursor.register("changed_since", {"customer_id": np.array(ids, np.int64)})
        where += " AND one.customer_id NOT IN (SELECT customer_id FROM changed_since)"
    return Opened(copy, ids, cursor, where, values)


def _over_columns(
    condition: Condition | None, words: Words, copy: Copy, cursor: duckdb.DuckDBPyConnection, today: dt.date
) -> tuple[str, dict[str, Any]]:
    """The condition over the copy; what lies beyond attributes as sets of ids."""
    if condition is None:
        return "TRUE", {}
    sets: list[Ids] = []

    def set_of(leaf: Set) -> exp.Query:
        found = copy.deeds.of(leaf, today) if copy.deeds is not None else None
        sets.append(_set(leaf.query(), condition, today) if found is None else found)
        name = f"set_{len(sets)}"
        cursor.register(name, {"customer_id": sets[-1]})
        return exp.select("customer_id").from_(exp.to_table(name))

    asked = condition.sql(lambda name: _copied(name, words), sets=set_of)
    said = bound(asked, condition, today=today, engine="duckdb")
    return f"({said.where})", dict(said.values)  # an "or" stays together where more is asked beside it


def _copied(name: str, words: Words) -> exp.Expr:
    """Where an attribute stands in the copy: what is on the card has a column there."""
    return exp.column(f"card_{name}", table="one", quoted=True) if name in CARD else column_of(name, words)


def _set(query: exp.Expr, condition: Condition, today: dt.date) -> Ids:
    said = bound(query, condition, today=today, engine="postgres")
    return ids_of(said.where, said.values)


def ids_of(query: str, values: Mapping[str, Any]) -> Ids:
    """The ids that a query of one column finds, packed into one value by the database: five million of them are no
    objects of Python's."""
    packed = "SELECT string_agg(int8send(found.id::bigint), ''::bytea) FROM"
    with connection.cursor() as sql:
        sql.execute(f"{packed} ({query}) AS found (id) WHERE found.id IS NOT NULL", values)
        answer = sql.fetchone()[0]
    return np.frombuffer(answer or b"", ">i8").astype(np.int64)
