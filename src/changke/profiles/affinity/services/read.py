"""What the night reads: lines, whose they are, what they stand on. As the reader, who sees every store, by COPY."""

# ruff: noqa: S608 -- the statements are made of our own words
import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from changke.engine.affinity import Lines
from changke.facts.tables import PERSON
from changke.foundation.database.copy import copy_out

LOOK_BACK_DAYS = 730
OF_THE_SHOP = "('service', 'product', 'other')"
"""Kinds of items that are had; cards sold and money put on them are not."""

FROM = f"""
FROM facts_receipt AS receipt
JOIN facts_customer AS record ON record.id = receipt.customer_id
JOIN facts_customer AS customer ON customer.id = {PERSON} AND customer.is_active
"""
WHERE = """
WHERE receipt.kind IN ('sale', 'use') AND receipt.withdrawn_by_id IS NULL
  AND receipt.business_date > DATE '{since}' AND receipt.business_date <= DATE '{until}'
"""
ITEMS = f"""
JOIN facts_line AS line ON line.receipt_id = receipt.id
JOIN facts_item AS item ON item.id = line.item_id AND item.kind IN {OF_THE_SHOP}
"""
LINES = f"SELECT customer.id AS customer_id, line.item_id, receipt.business_date AS date {FROM} {ITEMS} {WHERE}"
DAYS = f"""
SELECT customer.home_store_id AS store_id, line.item_id, receipt.business_date AS date,
       COUNT(DISTINCT customer.id) AS times
{FROM} {ITEMS} {WHERE} GROUP BY 1, 2, 3
"""
RECEIPTS = f"""
SELECT customer.home_store_id AS store_id,
       COUNT(*) FILTER (WHERE receipt.business_date > DATE '{{lately}}') AS receipts,
       COUNT(*) FILTER (WHERE receipt.business_date > DATE '{{lately}}' AND EXISTS (
         SELECT FROM facts_line AS line
         JOIN facts_item AS item ON item.id = line.item_id AND item.kind IN {OF_THE_SHOP}
         WHERE line.receipt_id = receipt.id)) AS with_lines,
       MIN(receipt.business_date) AS first_on
{FROM} {WHERE} GROUP BY 1
"""
CARDS = """
SELECT customer.id AS customer_id, customer.home_store_id AS store_id, customer.birth_year, customer.gender,
       COALESCE(profile.stage, '') AS stage
FROM facts_customer AS customer LEFT JOIN profiles_profile AS profile ON profile.customer_id = customer.id
WHERE customer.merged_into_id IS NULL AND customer.is_active
ORDER BY customer.id
"""

TAGS = """
SELECT customer.id AS customer_id, tag.name
FROM facts_tag AS tag JOIN facts_customer AS customer ON customer.id = tag.customer_id AND customer.is_active
WHERE customer.merged_into_id IS NULL
"""


def lines_asked(today: dt.date) -> str:
    """The query of what each customer had on which day, of two years."""
    return LINES.format(since=today - dt.timedelta(days=LOOK_BACK_DAYS), until=today)


def read_lines(today: dt.date) -> Lines:
    """Two years of lines of services and goods, without cards sold and money put on them."""
    statement = lines_asked(today)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as duck:
        found = _read(duck, statement, Path(folder), customer_id="BIGINT", item_id="BIGINT", date="DATE")
        return Lines.read(found, observation_end=today)


@dataclass(frozen=True)
class ItemDays:
    """On how many days of customers an item was had. Columns of equal length; store -1: no home store."""

    store: Any
    item: Any
    day: Any
    times: Any


def days_asked(today: dt.date, *, look_back_days: int) -> str:
    """The query of the days on which an item was had, by home store."""
    return DAYS.format(since=today - dt.timedelta(days=look_back_days), until=today)


def read_days(today: dt.date, *, look_back_days: int) -> ItemDays:
    """By home store, item and day since 1970."""
    statement = days_asked(today, look_back_days=look_back_days)
    types = {"store_id": "BIGINT", "item_id": "BIGINT", "date": "DATE", "times": "BIGINT"}
    rows = _columns(statement, types, "COALESCE(store_id, -1) AS store, item_id AS item, times,"
                                      " date_diff('day', DATE '1970-01-01', date) AS day")  # fmt: skip
    return ItemDays(rows["store"], rows["item"], rows["day"].astype(np.int64), rows["times"])


def read_receipts(today: dt.date, *, look_back_days: int) -> list[tuple[int | None, int, int, dt.date]]:
    """Of each home store: receipts of two years, those of them with lines, the first day of all that was looked at."""
    statement = RECEIPTS.format(
        since=today - dt.timedelta(days=look_back_days),
        lately=today - dt.timedelta(days=LOOK_BACK_DAYS),
        until=today,
    )
    types = {"store_id": "BIGINT", "receipts": "BIGINT", "with_lines": "BIGINT", "first_on": "DATE"}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as duck:
        return [tuple(row) for row in _read(duck, statement, Path(folder), **types).fetchall()]


@dataclass(frozen=True)
class Cards:
    """What is known of the customers of some lines, in their order. Store and year of birth -1: unknown."""

    store: Any
    birth_year: Any
    gender: Any
    stage: Any


def read_cards(lines: Lines) -> Cards:
    types = {"customer_id": "BIGINT", "store_id": "BIGINT", "birth_year": "BIGINT", "gender": "VARCHAR",
             "stage": "VARCHAR"}  # fmt: skip
    wanted = (
        "customer_id, COALESCE(store_id, -1) AS store, COALESCE(birth_year, -1) AS birth_year,"
        " COALESCE(gender, '') AS gender, COALESCE(stage, '') AS stage"
    )
    rows = _columns(CARDS, types, wanted)
    known = rows["customer_id"]
    place = np.minimum(np.searchsorted(known, lines.customers), max(0, len(known) - 1))
    if not len(known):
        nothing = np.full(len(lines.customers), -1)
        return Cards(nothing, nothing, nothing.astype(str), nothing.astype(str))
    # Whoever was merged between two reads is of no store and no group.
    there = known[place] == lines.customers
    return Cards(
        np.where(there, rows["store"][place], -1),
        np.where(there, rows["birth_year"][place], -1),
        np.where(there, rows["gender"][place].astype(str), ""),
        np.where(there, rows["stage"][place].astype(str), ""),
    )


def read_tags(lines: Lines) -> tuple[list[str], Any, Any]:
    """Names of tags that customers of the lines wear, and who wears which: positions of names and of customers."""
    rows = _columns(TAGS, {"customer_id": "BIGINT", "name": "VARCHAR"}, "customer_id, name")
    names, name = np.unique(rows["name"].astype(str), return_inverse=True)
    kept = np.isin(rows["customer_id"], lines.customers)
    return names.tolist(), name.ravel()[kept], np.searchsorted(lines.customers, rows["customer_id"][kept])


def _columns(statement: str, types: dict[str, str], wanted: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as duck:
        found = _read(duck, statement, Path(folder), **types).project(wanted).fetchnumpy()
    return {name: np.ma.getdata(column) for name, column in found.items()}


def _read(duck: duckdb.DuckDBPyConnection, statement: str, folder: Path, **types: str) -> duckdb.DuckDBPyRelation:
    file = folder / "rows.csv"
    copy_out(f"COPY ({statement}) TO STDOUT (FORMAT csv, HEADER true)", file)
    return duck.read_csv(str(file), header=True, columns=types)
