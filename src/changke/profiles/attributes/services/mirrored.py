"""The facts of several customers out of the mirror: what `several` reads of PostgreSQL, page by page, stands there in
columns that are read through in a part of the time.

The tables are the same, and so are the views that are laid over them, so that nobody can tell afterwards where the
facts of a row were read.
"""

# ruff: noqa: S608 -- the names in the statements are our own
from collections.abc import Iterable
from pathlib import Path

import duckdb

from changke.facts.tables import FURTHER, PERSON, SPENT_BY_BROUGHT, TABLES, TABLES_OF_BROUGHT, VIEWS, of_records
from changke.profiles.attributes.services.several import show

MIRROR = "mirror"

MET = "met"
"""The facts of those asked for and of those whom they brought, as far as anything is made of both: a table of millions
is read through once. Of a statement about somebody here, whoever else is named in it need not be known: it is not
herself, which is all that the view of referrals asks."""

TOLD_OF_OTHERS = (*TABLES_OF_BROUGHT, "facts_referral")

BROUGHT = f"""
SELECT {PERSON} FROM {MIRROR}.facts_referral AS said
JOIN {MIRROR}.facts_customer AS record ON record.id = said.customer_id
WHERE said.referrer_id IN (SELECT id FROM record_asked)"""
"""Whoever may have been brought by one of those asked for."""


def facts_in(mirror: Path, customer_ids: Iterable[int], *, further: Iterable[str] = ()) -> duckdb.DuckDBPyConnection:
    """A database in memory with the facts of these persons that a mirror has, and the views over them; of those that
    are seldom asked (`FURTHER`) the ones that are named.

    Nobody writes the mirror meanwhile. Its file is let go of before this returns; the caller closes the database.
    """
    duck = duckdb.connect(":memory:")
    try:
        duck.execute(f"ATTACH '{mirror}' AS {MIRROR} (READ_ONLY)")
        duck.execute("CREATE TEMP TABLE asked AS SELECT unnest($1::BIGINT[]) AS id", [list(customer_ids)])
        duck.execute(f"CREATE TEMP TABLE record_asked AS {_records('SELECT id FROM asked')}")
        duck.execute(f"CREATE TEMP TABLE record_met AS {_records(BROUGHT)} UNION SELECT id FROM record_asked")
        duck.execute(f"CREATE SCHEMA {MET}")
        for table in TABLES:
            source = MIRROR
            if table in TOLD_OF_OTHERS:
                source = MET
                _copy(duck, MIRROR, table, f"{MET}.{table}", "record_met")
            _copy(duck, source, table, table, "record_asked")
        for name in further:
            _copy(duck, MIRROR, FURTHER[name].table, FURTHER[name].table, "record_asked")
        duck.execute(f"DETACH {MIRROR}")
        duck.execute("CREATE SCHEMA live")
        for name in further:
            duck.execute(f"CREATE VIEW live.{name} AS {FURTHER[name].view}")
        duck.execute(f"SET schema = '{MET}'")  # the names of tables mean theirs
        duck.execute(f"""
            CREATE TABLE live.referrals AS SELECT * FROM ({VIEWS["referrals"]}) AS said
            WHERE customer_id IN (SELECT id FROM asked)""")
        duck.execute(f"CREATE TABLE live.referred_spend AS {SPENT_BY_BROUGHT}")
        duck.execute("SET schema = 'main'")
        show(duck)
    except BaseException:
        duck.close()
        raise
    return duck


def _records(persons: str) -> str:
    """All records that are read as these persons."""
    return f"SELECT record.id FROM {MIRROR}.facts_customer AS record WHERE {PERSON} IN ({persons})"


def _copy(duck: duckdb.DuckDBPyConnection, source: str, table: str, target: str, records: str) -> None:
    hers = of_records(table, f"SELECT id FROM {records}", among=f"{MIRROR}.")
    duck.execute(f"CREATE TABLE {target} AS SELECT * FROM {source}.{table} WHERE {hers}")
