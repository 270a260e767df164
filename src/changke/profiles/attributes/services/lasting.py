"""What lasts of everybody, kept beside the mirror from one night to the next, and computed anew of few.

Most of what a night used to compute was computed the night before: of somebody without a new fact, whose facts have
come to none of the ages that the definitions ask for (`engine/definitions/lasting.py`), every lasting row is the same
as of today. So the tables of the lasting definitions stay in the DuckDB file, with the day they speak of, and only

- whoever the mirror noted as touched, by a row that came or that it replaced, and
- whoever has a date that is one of those ages between the day of the tables and the day asked for, in either direction,

is taken out and computed again: her facts are copied into a small database in memory, where the same statements run
over the same views. Everybody, some thousands at a time in the same way, if there are no tables yet, if definitions,
views or settings have changed, or if that would be more than half of all. While the tables change they have no day: a
run that breaks off is followed by one over everybody.
"""

# ruff: noqa: S608 -- the names in the statements are our own
import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache

import duckdb

from changke.engine.definitions import Composer, Registry
from changke.engine.definitions.lasting import Lasting
from changke.engine.definitions.staged import Staged, table_of
from changke.engine.engines import duckdb as on_duckdb
from changke.engine.mirror import TOUCHED
from changke.facts.tables import DAYS, FACTS, PERSON, TABLES, VIEWS, of_records
from changke.profiles.attributes.catalogue import REGISTRY

SCHEMA = "lasting"
STATE = f"{SCHEMA}.state"
UNWRITTEN = f"{SCHEMA}.unwritten"
"""Who was noted as touched since `written` emptied it: whatever stands of them in PostgreSQL may be another's doing."""

RENEWED = f"{SCHEMA}.renewed"
"""Who was computed anew since somebody emptied it: what others keep of her beside these tables is not of today."""

PART = 100_000
"""Customers computed at a time: their facts and the steps between take some hundred MB."""

MOST = 0.5
"""The share of everybody from which on nothing is gained by leaving the others out."""


@contextmanager
def kept_up(
    duck: duckdb.DuckDBPyConnection, *, settings: Mapping[str, int], today: dt.date, registry: Registry = REGISTRY
) -> Iterator[Composer]:
    """Bring the lasting tables to a day, and hand out the composer that reads them.

    `duck` is open for writing, its mirror up to date; nobody else computes in it meanwhile. What `registry` knows
    beyond the house's definitions is asked of the mirror by the composer, and not kept.
    """
    lasting, staged = _lasting(), _staged(registry)
    identity = _identity(settings)
    duck.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    duck.execute(f"CREATE TABLE IF NOT EXISTS {STATE} (identity TEXT, day DATE)")
    duck.execute(f"CREATE TABLE IF NOT EXISTS {UNWRITTEN} (customer_id BIGINT)")
    duck.execute(f"CREATE TABLE IF NOT EXISTS {RENEWED} (customer_id BIGINT)")
    since = dict(duck.execute(f"SELECT identity, day FROM {STATE}").fetchall()).get(identity)
    try:
        if since is None or not _find_due(duck, lasting, since, today):
            _compute_all(duck, lasting, staged, settings, today)
        elif duck.execute("SELECT 1 FROM temp.due LIMIT 1").fetchall():
            duck.execute(f"DELETE FROM {STATE}")
            _compute_due(duck, lasting, staged, {**settings, "today": today})
            duck.execute(f"INSERT INTO {RENEWED} SELECT customer_id FROM temp.due")
    finally:
        duck.execute("DROP TABLE IF EXISTS temp.due")
    duck.execute("BEGIN")
    duck.execute(f"DELETE FROM {STATE}")
    duck.execute(f"INSERT INTO {STATE} VALUES (?, ?)", [identity, today])
    noted = _persons(f"SELECT subject AS id FROM {TOUCHED}")
    duck.execute(f"INSERT INTO {UNWRITTEN} SELECT customer_id FROM ({noted})")
    # Whoever follows the facts computes those who brought them, too.
    duck.execute(f"""
        INSERT INTO {UNWRITTEN} SELECT DISTINCT named.customer_id FROM ({noted}) AS noted
        JOIN facts_customer AS record ON {PERSON} = noted.customer_id
        JOIN facts_referral AS said ON said.customer_id = record.id
        JOIN (SELECT id, {PERSON} AS customer_id FROM facts_customer AS record) AS named
          ON named.id = said.referrer_id""")
    duck.execute(f"DELETE FROM {TOUCHED}")
    duck.execute("COMMIT")
    yield staged.composer


@contextmanager
def renewed(duck: duckdb.DuckDBPyConnection, *, settings: Mapping[str, int], today: dt.date) -> Iterator[str | None]:
    """A table of those about whom anything that lasts may be otherwise today than when it was asked for last.

    For whoever keeps something of their own beside these tables, in the same schema, that is, so that it goes when
    everybody has to be computed anew. If the block ends well, those count as taken over. None: everybody.
    """
    lasting, since = _lasting(), None
    if on_duckdb.has_table(duck, STATE):
        since = dict(duck.execute(f"SELECT identity, day FROM {STATE}").fetchall()).get(_identity(settings))
    try:
        if since is None or not on_duckdb.has_table(duck, RENEWED) or not _find_due(duck, lasting, since, today):
            duck.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            duck.execute("CREATE TEMP TABLE IF NOT EXISTS due (customer_id BIGINT)")
            yield None
        else:
            duck.execute(f"INSERT INTO {RENEWED} SELECT customer_id FROM temp.due")
            yield RENEWED
        # Their day may not be that of the tables: whoever turns between the two is asked again.
        if since is not None:
            duck.execute(f"CREATE OR REPLACE TABLE {RENEWED} AS SELECT customer_id FROM temp.due")
    finally:
        duck.execute("DROP TABLE IF EXISTS temp.due")


def _find_due(duck: duckdb.DuckDBPyConnection, lasting: Lasting, since: dt.date, today: dt.date) -> bool:
    """Put whoever has to be computed again into `due`; False if everybody has."""
    if duck.execute(f"SELECT 1 FROM {TOUCHED} WHERE subject IS NULL LIMIT 1").fetchall():
        return False
    first, last = sorted((since, today))
    turned = "UNION SELECT NULL::BIGINT WHERE FALSE"
    if first < last:
        turned = " ".join(f"UNION SELECT {_whose(table)} FROM {table} WHERE {_turns(days, lasting, first, last)}"
                          for table, days in DAYS.items())  # fmt: skip
    duck.execute(f"""
        CREATE OR REPLACE TEMP TABLE due AS {_persons(f"SELECT subject AS id FROM {TOUCHED} {turned}")}""")
    [(some, everybody)] = duck.execute(
        "SELECT (SELECT COUNT(*) FROM temp.due), (SELECT COUNT(*) FROM facts_customer)"
    ).fetchall()
    return bool(some <= everybody * MOST)


def _persons(ids: str) -> str:
    """Those ids and, where they are of records that are read as another's, hers."""
    return (
        f"WITH noted AS ({ids}) SELECT id AS customer_id FROM noted"
        f" UNION SELECT {PERSON} FROM facts_customer AS record WHERE record.id IN (SELECT id FROM noted)"
    )


def _whose(table: str) -> str:
    return "id" if table == "facts_customer" else "customer_id"


def _turns(days: tuple[str, ...], lasting: Lasting, first: dt.date, last: dt.date) -> str:
    """One of the dates comes to one of the ages after the first day and by the last."""
    bounds = [(day, age) for day in days for age in lasting.borders]
    return " OR ".join(f"({day} > DATE '{first}' - {age} AND {day} <= DATE '{last}' - {age})" for day, age in bounds)


def _compute_due(
    duck: duckdb.DuckDBPyConnection, lasting: Lasting, staged: Staged, values: Mapping[str, object]
) -> None:
    with facts_of(duck) as (main, part):
        for step in staged.steps:
            on_duckdb.create_table(duck, step.table, step.statement, values)
        for name in sorted(lasting.frontier):
            table = f"{SCHEMA}.{table_of(name)}"
            duck.execute(f"DELETE FROM {main}.{table} WHERE customer_id IN (SELECT customer_id FROM temp.due)")
            duck.execute(f"INSERT INTO {main}.{table} SELECT * FROM {part}.{table}")


def _compute_all(
    duck: duckdb.DuckDBPyConnection, lasting: Lasting, staged: Staged, settings: Mapping[str, int], today: dt.date
) -> None:
    duck.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    duck.execute(f"CREATE SCHEMA {SCHEMA}")
    duck.execute(f"CREATE TABLE {STATE} (identity TEXT, day DATE)")
    duck.execute(f"CREATE TABLE {UNWRITTEN} (customer_id BIGINT)")
    duck.execute(f"CREATE TABLE {RENEWED} (customer_id BIGINT)")
    values = {**settings, "today": today}
    bounds = duck.execute(f"""
        SELECT person FROM (
          SELECT person, ROW_NUMBER() OVER (ORDER BY person) AS place
          FROM (SELECT DISTINCT {PERSON} AS person FROM facts_customer AS record)
        ) WHERE place % {PART} = 0 ORDER BY person""").fetchall()
    for place, (above, upto) in enumerate(zip([None, *(one for (one,) in bounds)], [*bounds, (None,)], strict=True)):
        bound = [f"{PERSON} > {above}"] if above is not None else []
        bound += [f"{PERSON} <= {upto[0]}"] if upto[0] is not None else []
        duck.execute(f"""
            CREATE OR REPLACE TEMP TABLE due AS SELECT DISTINCT {PERSON} AS customer_id FROM facts_customer AS record
            WHERE {" AND ".join(bound) or "TRUE"}""")
        with facts_of(duck) as (main, part):
            for step in staged.steps:
                on_duckdb.create_table(duck, step.table, step.statement, values)
            for name in sorted(lasting.frontier):
                table = f"{SCHEMA}.{table_of(name)}"
                if place == 0:
                    duck.execute(f"CREATE TABLE {main}.{table} AS SELECT * FROM {part}.{table}")
                else:
                    duck.execute(f"INSERT INTO {main}.{table} SELECT * FROM {part}.{table}")


@contextmanager
def facts_of(duck: duckdb.DuckDBPyConnection, whose: str = "temp.due") -> Iterator[tuple[str, str]]:
    """A database in memory with all facts of those in a table of ids, and the views over them; statements on this very
    connection, not on a cursor of it, run there meanwhile. One look at each table: much quicker than a scope for many.

    Hands out the names of the large database and of the small one.
    """
    [(main,)] = duck.execute("SELECT current_database()").fetchall()
    main, part = f'"{main}"', "part"
    duck.execute(f"ATTACH ':memory:' AS {part}")
    try:
        records = f"SELECT id FROM facts_customer AS record WHERE {PERSON} IN (SELECT customer_id FROM {whose})"
        for table in TABLES:
            hers = of_records(table, records)
            duck.execute(f"CREATE TABLE {part}.{table} AS SELECT * FROM {table} WHERE {hers}")
        duck.execute(f"USE {part}")
        duck.execute(f"CREATE SCHEMA live; CREATE SCHEMA {SCHEMA}")
        costly = {fact.name for fact in FACTS if fact.costly}
        across = {fact.name for fact in FACTS if fact.across}  # nothing that lasts reads them
        for name, query in VIEWS.items():
            if name not in across:
                duck.execute(f"CREATE {'TABLE' if name in costly else 'VIEW'} live.{name} AS {query}")
        yield main, part
    finally:
        duck.execute(f"USE {main}")
        duck.execute(f"DETACH {part}")


def _identity(settings: Mapping[str, int]) -> str:
    """By what the tables were computed, beside the day."""
    asked, used = _asked()
    told = json.dumps([asked, dict(VIEWS), {name: settings[name] for name in used}])
    return hashlib.sha256(told.encode()).hexdigest()


@cache
def _asked() -> tuple[list[list[str]], list[str]]:
    """The lasting definitions as statements, and the settings that they use."""
    definitions = [one for one in REGISTRY.order if one.name in _lasting().names]
    asked = [[one.name, one.query.sql(dialect="duckdb")] for one in definitions]
    return asked, sorted({name for one in definitions for name in one.settings})


@cache
def _lasting() -> Lasting:
    return Lasting(REGISTRY)


@lru_cache(maxsize=8)
def _staged(registry: Registry) -> Staged:
    return Staged(registry, names=_lasting().steps, schema=SCHEMA)
