"""A file for analysts: facts, profiles and predictions in DuckDB, under pseudonyms, with a dictionary of every column.

No name, phone, address, note or tag goes out; a day of birth becomes its year. Customers and staff carry a keyed hash
(HMAC-SHA-256 under a key derived from the installation's own), the same in every file of this installation, so that
files join and nobody outside finds the number behind it. docs/howto/publish.md
"""

# ruff: noqa: S608 -- statements are made of our own words
import datetime as dt
import hmac
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from django.db import connection

from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError
from changke.foundation.organisation.queries import the_chain
from changke.foundation.persons.cipher import derive
from changke.foundation.persons.queries import master_keys
from changke.interfaces import publish_stays as stays
from changke.profiles.attributes.catalogue import COLUMNS, REGISTRY

PURPOSE = "publish pseudonyms"
WHOSE = "(SELECT pseudonym FROM whose WHERE whose.id = {column})"
JOINED = """
SELECT named.pseudonym AS customer, {columns} FROM {source} AS row JOIN whose AS named ON named.id = row.customer_id
"""


class FileIsThere(DomainError):
    code, status = "file_is_there", 409
    message = "There is already a file %(file)s. Name another one, or take it away first."


@dataclass(frozen=True)
class Published:
    """Table -> rows."""

    file: Path
    rows: Mapping[str, int]


# Table of the file -> (what one row is, the query over the mirror, column -> what it says). Money is in minor units.
FROM_FACTS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "customers": (
        "a living customer; records that were merged are one",
        "SELECT named.pseudonym AS customer, row.home_store_id AS store_id, row.known_on, row.gender, row.birth_year,"
        f" {WHOSE.format(column='-row.adviser_id')} AS adviser FROM live.customers AS row"
        " JOIN whose AS named ON named.id = row.customer_id",
        {
            "customer": "pseudonym",
            "store_id": "home store",
            "known_on": "known since",
            "gender": "gender, where known",
            "birth_year": "year of birth, where known",
            "adviser": "pseudonym of whoever looks after her",
        },
    ),
    "purchases": (
        "a receipt on which money came in or goods were given; withdrawn ones are left out",
        JOINED.format(
            columns="row.store_id, row.business_date, row.cash_minor, row.consumed_minor, row.margin_minor,"
            " row.margin_basis, row.items",
            source="live.purchases",
        ),
        {
            "customer": "pseudonym",
            "store_id": "store",
            "business_date": "day in the store's zone",
            "cash_minor": "cash received",
            "consumed_minor": "value of what was rendered",
            "margin_minor": "profit, where known",
            "margin_basis": "how the profit is known",
            "items": "pieces",
        },
    ),
    "uses": (
        "a receipt paid wholly by stored value or sessions",
        JOINED.format(columns="row.store_id, row.business_date, row.consumed_minor, row.items", source="live.uses"),
        {
            "customer": "pseudonym",
            "store_id": "store",
            "business_date": "day in the store's zone",
            "consumed_minor": "value of what was rendered",
            "items": "pieces",
        },
    ),
    "returns": (
        "something given back",
        JOINED.format(
            columns="row.store_id, row.business_date, row.cash_minor, row.consumed_minor, row.items",
            source="live.returns",
        ),
        {
            "customer": "pseudonym",
            "store_id": "store",
            "business_date": "day in the store's zone",
            "cash_minor": "cash given back",
            "consumed_minor": "value given back",
            "items": "pieces",
        },
    ),
    "visits": (
        "a recorded visit",
        JOINED.format(columns="row.store_id, row.business_date", source="live.visits"),
        {"customer": "pseudonym", "store_id": "store", "business_date": "day in the store's zone"},
    ),
    "openings": (
        "the summary line of an old system",
        JOINED.format(
            columns="row.store_id, row.first_on, row.last_on, row.purchases, row.cash_minor", source="live.openings"
        ),
        {
            "customer": "pseudonym",
            "store_id": "store",
            "first_on": "first day",
            "last_on": "last day",
            "purchases": "purchases from the one to the other",
            "cash_minor": "cash of all of them",
        },
    ),
}

STORES = "SELECT id AS store_id, code, name FROM foundation_store"
PREDICTIONS = (
    "customer_id, as_of, horizon_days, p_active_bp, expected_purchases_milli, expected_spend_minor, spend_low_minor,"
    " spend_high_minor, value_year_minor, value_year_low_minor, value_year_high_minor, worth_minor, margin_bp"
)
PREDICTED = {
    "customer": "pseudonym",
    "as_of": "the day it speaks from",
    "horizon_days": "days ahead",
    "p_active_bp": "chance of a purchase day, in basis points",
    "expected_purchases_milli": "expected purchase days, in thousandths",
    "expected_spend_minor": "expected money",
    "spend_low_minor": "four of five come to lie above",
    "spend_high_minor": "and below",
    "value_year_minor": "annual value, later money being less",
    "value_year_low_minor": "four of five come to lie above",
    "value_year_high_minor": "and below",
    "worth_minor": "the same of all the years that the chain counts",
    "margin_bp": "the share that stays in both, in basis points; NULL: unknown, both are revenue",
}


def publish(
    mirror: duckdb.DuckDBPyConnection, target: Path, *, by: By, now: dt.datetime, progress: Callable[[str], None]
) -> Published:
    """Write the file from an open mirror and the stored profiles. It appears whole or not at all."""
    if target.exists():
        raise FileIsThere(file=str(target))
    key = pseudonym_key()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    unfinished = Path(name)
    unfinished.unlink()
    try:
        rows = _fill(mirror, unfinished, key, progress, now)
        unfinished.chmod(0o440)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    record(
        by=by, action="data.published", subject="chain:published", after={"rows": sum(rows.values()), **rows}, now=now
    )
    return Published(target, rows)


def pseudonym_key() -> bytes:
    """Follows from the oldest master key, so that a rotation does not part the files."""
    keys = master_keys()
    return derive(keys[min(keys)], PURPOSE)


def pseudonym(key: bytes, number: int) -> str:
    """Customers are positive numbers, staff negative ones: no two share a pseudonym."""
    return hmac.digest(key, str(number).encode(), "sha256")[:12].hex()


def _fill(
    mirror: duckdb.DuckDBPyConnection, file: Path, key: bytes, progress: Callable[[str], None], now: dt.datetime
) -> dict[str, int]:
    mirror.execute(f"ATTACH '{str(file).replace(chr(39), chr(39) * 2)}' AS published")
    try:
        _name(mirror, key)
        rows = {}
        for table, (_, query, _columns) in FROM_FACTS.items():
            progress(table)
            mirror.execute(f"CREATE TABLE published.{table} AS {query}")
        stored = list(_stored())
        for table, columns, query in stored:
            progress(table)
            _copy(mirror, table, columns, query)
        _describe(mirror, [(table, columns) for table, columns, _ in stored], now)
        for table in (*FROM_FACTS, *(one for one, _, _ in stored)):
            rows[table] = int(mirror.execute(f"SELECT COUNT(*) FROM published.{table}").fetchall()[0][0])
        return rows
    finally:
        mirror.execute("DROP TABLE IF EXISTS whose")
        mirror.execute("DETACH published")


def _name(mirror: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Every person's pseudonym, in a temporary table of the mirror's connection."""
    found = mirror.execute(
        "SELECT id FROM facts_customer"
        " UNION SELECT DISTINCT -adviser_id FROM facts_customer WHERE adviser_id IS NOT NULL"
    ).fetchnumpy()["id"]
    ids = np.ma.getdata(found).tolist()
    named = {"id": np.array(ids, np.int64), "pseudonym": np.array([pseudonym(key, one) for one in ids], object)}
    mirror.register("named_here", named)
    try:
        mirror.execute("CREATE OR REPLACE TEMP TABLE whose AS SELECT * FROM named_here")
    finally:
        mirror.unregister("named_here")


def _stored() -> Iterator[tuple[str, Mapping[str, str], str]]:
    """What PostgreSQL holds: table of the file, its columns with their words, the query."""
    yield "stores", {"store_id": "store", "code": "code", "name": "name"}, STORES
    names = [name for name in COLUMNS if name not in stays.LEFT_OUT]
    words = {name: REGISTRY.attributes[name].words for name in names}
    stage = "stage" if stays.stage_told() else "NULL AS stage"
    models = ", ".join(f"'{key}'" for key in stays.models_told()) or "''"
    yield (
        "profiles",
        {"customer": "pseudonym", "as_of": "the day it speaks of", "stage": "stage in the default model", **words},
        f"SELECT customer_id, as_of, {stage}, {', '.join(names)} FROM profiles_profile",
    )
    yield (
        "stages",
        {"customer": "pseudonym", "model": "lifecycle model", "stage": "stage", "since": "since which day"},
        f"SELECT customer_id, model, stage, since FROM profiles_standing WHERE model IN ({models})",
    )
    yield "predictions", PREDICTED, f"SELECT {PREDICTIONS} FROM profiles_prediction"
    told = stays.segments_told()
    yield "segments", stays.SEGMENTS, stays.segments_query(told)
    yield "segment_stays", stays.STAYS, stays.stays_query(told)


def _copy(mirror: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], query: str) -> None:
    """From PostgreSQL through a file of CSV; a customer's number becomes her pseudonym on the way."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        with connection.cursor() as sql, file.open("wb") as out:
            sql.execute("SELECT 1")  # carries whose rows are seen
            with sql.copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER true)") as copy:
                for block in copy:
                    out.write(block)
        kinds = {name: stays.TYPES[name] for name in columns if name in stays.TYPES}
        source = f"read_csv('{file}', header = true, sample_size = -1, types = {kinds})"
        if "customer" in columns:
            rest = ", ".join(f'row."{name}"' for name in columns if name != "customer")
            mirror.execute(f"CREATE TABLE published.{table} AS {JOINED.format(columns=rest, source=source)}")
        else:
            mirror.execute(f"CREATE TABLE published.{table} AS SELECT * FROM {source}")


def _describe(
    mirror: duckdb.DuckDBPyConnection, stored: Sequence[tuple[str, Mapping[str, str]]], now: dt.datetime
) -> None:
    """The dictionary of every column, and of the whole."""
    chain = the_chain()
    mirror.execute("CREATE TABLE published.dictionary (table_name TEXT, column_name TEXT, type TEXT, words TEXT)")
    types = {
        (table, column): kind
        for table, column, kind in mirror.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = 'published'"
        ).fetchall()
    }
    said = [(table, name, words) for table, (_, _, columns) in FROM_FACTS.items() for name, words in columns.items()]
    said += [(table, name, words) for table, columns in stored for name, words in columns.items()]
    for table, name, words in said:
        mirror.execute("INSERT INTO published.dictionary VALUES (?, ?, ?, ?)", [table, name, types[table, name], words])
    mirror.execute("CREATE TABLE published.about (name TEXT, said TEXT)")
    about = {
        "chain": chain.name,
        "currency": chain.currency,
        "money": "whole minor units",
        "made_at": now.isoformat(timespec="seconds"),
        "pseudonyms": "HMAC-SHA-256 under a key of this installation, 12 bytes; the same in every file of it",
    }
    mirror.executemany("INSERT INTO published.about VALUES (?, ?)", list(about.items()))
