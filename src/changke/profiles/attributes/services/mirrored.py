"""The facts of several customers out of the mirror: what `several` reads of PostgreSQL, page by page, stands there in
columns that are read through in a part of the time.

The tables are the same, and so are the views that are laid over them, so that nobody can tell afterwards where the
facts of a row were read.
"""

# ruff: noqa: S608 -- the names in the statements are our own
from collections.abc import Iterable
from pathlib import Path

import duckdb

from changke.facts.tables import PERSON, SPENT_BY_BROUGHT, TABLES, TABLES_OF_BROUGHT, VIEWS
from changke.profiles.attributes.services.several import show

MIRROR = "mirror"
BROUGHT = "brought"


def facts_in(mirror: Path, customer_ids: Iterable[int]) -> duckdb.DuckDBPyConnection:
    """A database in memory with the facts of these persons that a mirror has, and the views over them.

    Nobody writes the mirror meanwhile. Its file is let go of before this returns; the caller closes the database.
    """
    duck = duckdb.connect(":memory:")
    try:
        duck.execute(f"ATTACH '{mirror}' AS {MIRROR} (READ_ONLY)")
        duck.execute("CREATE TEMP TABLE asked AS SELECT unnest($1::BIGINT[]) AS id", [list(customer_ids)])
        _records(duck, "record_asked", "SELECT id FROM asked")
        for table in TABLES:
            _copy(duck, table, table, "record_asked")
        duck.execute("CREATE SCHEMA live")
        _facts_of_others(duck)
        duck.execute(f"DETACH {MIRROR}")
        show(duck)
    except BaseException:
        duck.close()
        raise
    return duck


def _facts_of_others(duck: duckdb.DuckDBPyConnection) -> None:
    """What is made from facts of persons who are not asked for: whom these brought, and what those spent.

    All statements about somebody whom one of these may have brought, with her records and theirs, are what the view of
    referrals reads of them. Who else is named in such a statement need not be known: not her, which is all that counts.
    """
    duck.execute(f"CREATE SCHEMA {BROUGHT}")
    _records(
        duck,
        "record_brought",
        f"SELECT {PERSON} FROM {MIRROR}.facts_referral AS said"
        f" JOIN {MIRROR}.facts_customer AS record ON record.id = said.customer_id"
        " WHERE said.referrer_id IN (SELECT id FROM record_asked)",
    )
    for table in (*TABLES_OF_BROUGHT, "facts_referral"):
        _copy(duck, table, f"{BROUGHT}.{table}", "record_brought")
    duck.execute(f"""
        INSERT INTO {BROUGHT}.facts_customer SELECT * FROM facts_customer
        WHERE id NOT IN (SELECT id FROM {BROUGHT}.facts_customer)""")
    duck.execute(f"SET schema = '{BROUGHT}'")  # the names of tables mean theirs
    duck.execute(f"""
        CREATE TABLE live.referrals AS SELECT * FROM ({VIEWS["referrals"]}) AS said
        WHERE customer_id IN (SELECT id FROM asked)""")
    duck.execute(f"CREATE TABLE live.referred_spend AS {SPENT_BY_BROUGHT}")
    duck.execute("SET schema = 'main'")


def _records(duck: duckdb.DuckDBPyConnection, name: str, persons: str) -> None:
    """All records that are read as these persons."""
    duck.execute(
        f"CREATE TEMP TABLE {name} AS SELECT record.id FROM {MIRROR}.facts_customer AS record"
        f" WHERE {PERSON} IN ({persons})"
    )


def _copy(duck: duckdb.DuckDBPyConnection, table: str, target: str, records: str) -> None:
    whose = "id" if table == "facts_customer" else "customer_id"
    duck.execute(f"CREATE TABLE {target} AS SELECT * FROM {MIRROR}.{table} WHERE {whose} IN (SELECT id FROM {records})")
