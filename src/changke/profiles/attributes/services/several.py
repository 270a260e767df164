"""Several customers at once: their facts alone, in a small database in memory, and the statements of the night over it.

PostgreSQL plans a statement over a list without knowing how many rows its steps have, and takes a third of a
millisecond for each customer; reading the facts out by their indexes and computing them by column takes a tenth of
that. Facts, views and definitions are the same, so that nobody can tell afterwards which way a row came.
"""

# ruff: noqa: S608 -- the names in the statements are our own, the ids are numbers
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from changke.engine.mirror import INCOMING, reading
from changke.facts.tables import (
    FACTS,
    FURTHER,
    NEVER_WITHDRAWN,
    OF_NOBODY,
    PARTS,
    PERSON,
    SPENT_BY_BROUGHT,
    TABLES,
    TABLES_OF_BROUGHT,
    VIEWS,
)
from changke.foundation.database.connections import conninfo

BY_INDEX = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
"""What PostgreSQL is kept from: to look at all receipts of everybody for a hundredth of them."""


@contextmanager
def facts_of(
    customer_ids: Iterable[int], *, further: Iterable[str] = ()
) -> Iterator[tuple[duckdb.DuckDBPyConnection, int]]:
    """A database in memory with all committed facts of these persons as of one moment, and the views over them.

    `further`: names of facts that are seldom asked (`FURTHER`), as far as they are wanted.
    Hands out the connection and the transaction id below which it knows everything.
    """
    with duckdb.connect(":memory:") as duck:
        with reading(conninfo("reader")) as source:
            _receive(duck, source, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS below")
            [(below,)] = duck.execute(f"SELECT below FROM {INCOMING}").fetchall()
            for way in BY_INDEX:
                source.execute(f"SET LOCAL {way} = off")
            persons = _listed(customer_ids)
            for table in TABLES:
                _copy(duck, source, table, persons)
            duck.execute("CREATE SCHEMA live")
            for name in further:
                _copy(duck, source, FURTHER[name].table, persons)
                duck.execute(f"CREATE VIEW live.{name} AS {FURTHER[name].view}")
            _facts_of_others(duck, source, persons)
            duck.unregister(INCOMING)
        show(duck)
        yield duck, int(below)


def show(duck: duckdb.DuckDBPyConnection) -> None:
    """The views over the facts of some persons, of what is made from theirs alone."""
    for fact in FACTS:
        if not fact.across:
            duck.execute(f"CREATE {'TABLE' if fact.costly else 'VIEW'} live.{fact.name} AS {VIEWS[fact.name]}")


def _facts_of_others(duck: duckdb.DuckDBPyConnection, source: Any, persons: str) -> None:
    """What is made from facts of persons who are not here: whom these brought is asked of PostgreSQL, and what those
    spent is added up here from their rows. Asked for that, too, of tables that it has not counted yet, PostgreSQL looks
    at every receipt for each of them."""
    for fact in (one for one in FACTS if one.across and one.name != "referred_spend"):
        columns = ", ".join(fact.columns)
        _receive(duck, source, f"SELECT {columns} FROM live.{fact.name} WHERE customer_id = ANY('{persons}'::bigint[])")
        duck.execute(f"CREATE TABLE live.{fact.name} AS SELECT * FROM {INCOMING}")
    brought = _listed(person for (person,) in duck.execute("SELECT DISTINCT brought_id FROM live.referrals").fetchall())
    duck.execute("CREATE SCHEMA brought")
    duck.execute("SET schema = 'brought'")  # the names of tables mean theirs
    for table in TABLES_OF_BROUGHT:
        _copy(duck, source, table, brought)
    duck.execute(f"CREATE TABLE live.referred_spend AS {SPENT_BY_BROUGHT}")
    duck.execute("SET schema = 'main'")


def _copy(duck: duckdb.DuckDBPyConnection, source: Any, table: str, persons: str) -> None:
    """The rows of these persons, in all their records. The views leave out what is withdrawn, and the indexes that lead
    to their facts know only of the rest."""
    if table in OF_NOBODY:
        _receive(duck, source, f"SELECT {', '.join(TABLES[table])} FROM {table}")
    else:
        _receive(duck, source, f"{_rows_of(table)} WHERE {PERSON} = ANY('{persons}'::bigint[])")
    duck.execute(f"CREATE TABLE {table} AS SELECT * FROM {INCOMING}")


def _rows_of(table: str) -> str:
    whole, named = PARTS.get(table, (table, ""))
    same = f"{'id' if table == 'facts_customer' else 'customer_id'} = record.id"
    same += "" if whole in NEVER_WITHDRAWN else " AND fact.withdrawn_by_id IS NULL"
    read = f"facts_customer AS record JOIN {whole} AS fact ON fact.{same}"
    read += f" JOIN {table} AS part ON part.{named} = fact.id" if named else ""
    columns = ", ".join(f"{'part' if named else 'fact'}.{name}" for name in _columns(table))
    return f"SELECT {columns} FROM {read}"


def _columns(table: str) -> tuple[str, ...]:
    return TABLES.get(table) or next(one.columns for one in FURTHER.values() if one.table == table)


def _receive(duck: duckdb.DuckDBPyConnection, source: Any, statement: str) -> None:
    source.execute(statement)
    duck.register(INCOMING, source.fetch_arrow())


def _listed(persons: Iterable[int]) -> str:
    return "{" + ",".join(str(int(person)) for person in persons) + "}"
