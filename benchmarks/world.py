"""A chain as large as asked, for the benchmarks.

    python -m benchmarks.world FOLDER --customers 1000000 --purchases 10000000

Written as Parquet in bounded memory: numpy invents a slice of the customers at a time, DuckDB keeps the slices on disk
and puts the receipts into the order of time, as a till would have written them. That order matters: rows that lie
beside each other because they belong to one customer would flatter every query about one customer.

Skewed on purpose: few customers buy most (log-normal rates), most have left, some never bought, some receipts are
equal to the last digit. It says nothing about how people behave; `changke.engine.synthetic` does that.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from changke.engine.synthetic import names

Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]

SLICE = 500_000  # receipts invented at a time: about 100 MB of arrays
MEMORY_LIMIT = "1GB"  # of DuckDB, which spills beyond it
NEVER_BOUGHT = 0.04
KNOWN_BEFORE = 0.2
CHURNED = 0.6
RATE_SPREAD = 1.2  # sigma of the logarithm
USES = 0.10  # further receipts, against the sales: paid wholly by a card
RETURNS = 0.015
VISITS = 0.20  # visits written down, against the sales
TIES = 0.02  # sales that repeat the moment, store and amounts of her sale before
WITHOUT_CUSTOMER = 0.03  # of the sales: they belong to nobody and come on top
UTC_OFFSET_SECONDS = 8 * 3600

# Columns as PostgreSQL stores them; `receipts` and `visits` are in the order of time.
CUSTOMERS = """
    SELECT customer_id, 'C' || lpad(customer_id::VARCHAR, 8, '0') AS source_key, name, gender, birth_year, birth_month,
           birth_day, home_store_id, CASE WHEN adviser_id > 0 THEN adviser_id END AS adviser_id, known_on, phone,
           (known_on + INTERVAL 12 HOUR)::TIMESTAMP AS recorded_at
    FROM customer ORDER BY customer_id
"""
RECEIPTS = """
    SELECT row_number() OVER () AS receipt_id, kind, number, 'till' AS source, customer_id, store_id, staff_id,
           original_number, cash_minor, consumed_minor, margin_minor, margin_basis, items, happened_at, business_date,
           recorded_at, 'till:' || number AS source_key
    FROM (
        SELECT CASE kind WHEN 0 THEN 'sale' WHEN 1 THEN 'use' ELSE 'return' END AS kind,
               CASE kind WHEN 0 THEN 'S' WHEN 1 THEN 'U' ELSE 'R' END || sale AS number,
               CASE WHEN customer_id > 0 THEN customer_id END AS customer_id,
               store_id, store_id * 10 + sale % 7 AS staff_id,
               CASE kind WHEN 2 THEN 'S' || sale ELSE '' END AS original_number,
               CASE kind WHEN 1 THEN 0 ELSE amount END AS cash_minor, amount AS consumed_minor,
               CASE WHEN sale % 25 <> 0 THEN amount * 6 // 10 END AS margin_minor,
               CASE WHEN sale % 25 = 0 THEN 'unknown' WHEN sale % 10 = 0 THEN 'percent' ELSE 'cost' END AS margin_basis,
               items, make_timestamp(second * 1000000) AS happened_at,
               DATE '1970-01-01' + day::INTEGER AS business_date,
               make_timestamp((second + CASE WHEN sale % 50 = 0 THEN 200000 ELSE 30 END) * 1000000) AS recorded_at
        FROM receipt ORDER BY second, kind, sale
    )
"""
VISIT_ROWS = """
    SELECT row_number() OVER () AS visit_id, customer_id, store_id, store_id * 10 + customer_id % 7 AS staff_id,
           'service' AS purpose, 'till' AS source, make_timestamp(second * 1000000) AS happened_at,
           DATE '1970-01-01' + day::INTEGER AS business_date, make_timestamp((second + 30) * 1000000) AS recorded_at,
           'visit:' || visit AS source_key
    FROM (SELECT * FROM visit ORDER BY second, visit)
"""
TABLES = {"customers": CUSTOMERS, "receipts": RECEIPTS, "visits": VISIT_ROWS}


@dataclass(frozen=True)
class Size:
    customers: int
    receipts: int
    visits: int


def write_world(
    path: Path,
    customers: int,
    purchases: int,
    seed: int = 1,
    *,
    today: date = date(2026, 11, 21),
    years: int = 3,
    stores: int = 12,
) -> Size:
    """Write customers.parquet, receipts.parquet and visits.parquet into the folder.

    There are exactly `purchases` sales with a customer; uses, returns and sales without a customer come on top. The
    same arguments give the same rows.
    """
    path.mkdir(parents=True, exist_ok=True)
    working = path / "world.duckdb"
    working.unlink(missing_ok=True)
    database = duckdb.connect(
        str(working), config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(path / "spill")}
    )
    try:
        database.execute(
            "CREATE TABLE customer (customer_id BIGINT, name VARCHAR, gender VARCHAR, birth_year SMALLINT,"
            " birth_month SMALLINT, birth_day SMALLINT, home_store_id BIGINT, adviser_id BIGINT, known_on DATE,"
            " phone VARCHAR)"
        )
        database.execute(
            "CREATE TABLE receipt (sale BIGINT, kind UTINYINT, customer_id BIGINT, store_id INTEGER, amount BIGINT,"
            " items INTEGER, second BIGINT, day INTEGER)"
        )
        database.execute(
            "CREATE TABLE visit (visit BIGINT, customer_id BIGINT, store_id INTEGER, second BIGINT, day INTEGER)"
        )
        crowd = _crowd(np.random.default_rng([seed, 0]), customers, purchases, today=today, years=years, stores=stores)
        _insert_customers(database, crowd, seed, today)
        sale, visit = 1, 1
        for number, (first, last) in enumerate(_slices(crowd.sales)):
            sale, visit = _insert_slice(
                database, np.random.default_rng([seed, 1, number]), crowd, first, last, sale, visit
            )
        for name, query in TABLES.items():
            database.execute(f"COPY ({query}) TO '{path / name}.parquet' (FORMAT parquet)")
        counts = [
            database.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
            for table in ("customer", "receipt", "visit")
        ]
    finally:
        database.close()
        working.unlink(missing_ok=True)
    return Size(*counts)


def write_csv(path: Path, table: str, target: Path, columns: str = "*") -> None:
    """A table of the folder as CSV with a header, as COPY and the importer read it; `columns` is a SELECT list."""
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as database:
        source = path / f"{table}.parquet"
        database.execute(f"COPY (SELECT {columns} FROM '{source}') TO '{target}' (FORMAT csv, HEADER true)")


@dataclass(frozen=True)
class _Crowd:
    """One entry per customer; days are counted from 1970."""

    store: Integers
    known: Integers
    first: Integers  # of the days on which she may buy
    last: Integers
    sales: Integers
    ticket: Numbers  # her usual amount, fen
    stores: int


def _crowd(
    chance: np.random.Generator, customers: int, purchases: int, *, today: date, years: int, stores: int
) -> _Crowd:
    end = today.toordinal() - date(1970, 1, 1).toordinal()
    start = end - round(years * 365.25)
    before = chance.random(customers) < KNOWN_BEFORE
    joined = start + (chance.random(customers) * (end - start)).astype(np.int64)
    known = np.where(before, start - (chance.random(customers) * 900).astype(np.int64), joined)
    first = np.maximum(known, start)
    life = (chance.random(customers) ** 2 * (end - first)).astype(np.int64)
    last = np.where(chance.random(customers) < CHURNED, first + life, end)
    rate = np.exp(RATE_SPREAD * chance.standard_normal(customers))
    rate[chance.random(customers) < NEVER_BOUGHT] = 0
    share = np.cumsum(rate * (last - first + 120))  # who left at once bought a little, too
    # Rounding the running sum gives every customer her share and the whole exactly what was asked.
    sales = np.diff(np.round(share / share[-1] * purchases).astype(np.int64), prepend=0)
    ticket = np.exp(10.4 + 0.7 * chance.standard_normal(customers))
    return _Crowd(chance.integers(1, stores + 1, customers), known, first, last, sales, ticket, stores)


def _slices(sales: Integers) -> Iterator[tuple[int, int]]:
    """Runs of customers with about SLICE sales together."""
    bounds = np.searchsorted(np.cumsum(sales), np.arange(SLICE, int(sales.sum()), SLICE), side="left") + 1
    edges = np.unique(np.r_[0, bounds, len(sales)]).tolist()
    yield from pairwise(edges)


def _insert_customers(database: duckdb.DuckDBPyConnection, crowd: _Crowd, seed: int, today: date) -> None:
    chance = np.random.default_rng([seed, 2])
    phones = names.phones(chance, len(crowd.store))
    for first in range(0, len(crowd.store), SLICE):
        part = slice(first, first + SLICE)
        size = len(crowd.store[part])
        woman = chance.random(size) < 0.9
        born = names.birth_years(chance, size, year=today.year)
        rows = {
            "customer_id": np.arange(first + 1, first + size + 1),
            "name": np.array(names.names(chance, women=woman.tolist(), birth_years=born.tolist()), dtype=object),
            "gender": np.where(woman, "f", "m").astype(object),
            "birth_year": born,
            "birth_month": chance.integers(1, 13, size),
            "birth_day": chance.integers(1, 29, size),
            "home_store_id": crowd.store[part],
            "adviser_id": np.where(chance.random(size) < 0.5, crowd.store[part] * 10 + chance.integers(0, 7, size), 0),
            "known_on": crowd.known[part],
            "phone": np.array(phones[part], dtype=object),
        }
        _append(database, "customer", rows, "* REPLACE (DATE '1970-01-01' + known_on::INTEGER AS known_on)")


def _insert_slice(
    database: duckdb.DuckDBPyConnection,
    chance: np.random.Generator,
    crowd: _Crowd,
    first: int,
    last: int,
    sale: int,
    visit: int,
) -> tuple[int, int]:
    """Sales, uses, returns and visits of some customers; the next free numbers of a sale and a visit."""
    who = np.repeat(np.arange(first, last), crowd.sales[first:last])
    size = len(who)
    nameless = round(size * WITHOUT_CUSTOMER)
    uses = who[chance.random(size) < USES]
    person = np.concatenate((who, uses, chance.choice(who, nameless) if size else who))
    kind = np.concatenate((np.zeros(size), np.ones(len(uses)), np.zeros(nameless))).astype(np.int64)
    known = np.concatenate((np.ones(size + len(uses), dtype=bool), np.zeros(nameless, dtype=bool)))
    day, second, store = _moments(chance, crowd, person)
    amount = (crowd.ticket[person] * np.exp(0.5 * chance.standard_normal(len(person)))).astype(
        np.int64
    ) // 100 * 100 + 100
    items = 1 + (chance.random(len(person)) < 0.3) + (chance.random(len(person)) < 0.1)
    tie = np.flatnonzero((chance.random(size) < TIES) & np.r_[False, who[1:] == who[:-1]]) if size else who
    for column in (day, second, store, amount, items):
        column[tie] = column[tie - 1]
    number = np.arange(sale, sale + len(person))
    back = np.flatnonzero(known & (kind == 0) & (chance.random(len(person)) < RETURNS))
    back = back[day[back] < crowd.last[person[back]]]
    later = np.minimum(day[back] + chance.integers(1, 20, len(back)), crowd.last[person[back]])
    rows = {
        "sale": np.r_[number, number[back]],
        "kind": np.r_[kind, np.full(len(back), 2)],
        "customer_id": np.where(np.r_[known, np.ones(len(back), dtype=bool)], np.r_[person, person[back]] + 1, 0),
        "store_id": np.r_[store, store[back]],
        "amount": np.r_[amount, np.maximum(100, amount[back] // np.where(number[back] % 3, 1, 2))],
        "items": np.r_[items, np.ones(len(back), dtype=np.int64)],
        "second": np.r_[second, second[back] + (later - day[back]) * 86_400],
        "day": np.r_[day, later],
    }
    _append(database, "receipt", rows, "*")
    seen = who[chance.random(size) < VISITS]
    seen_day, seen_second, seen_store = _moments(chance, crowd, seen)
    visits = {
        "visit": np.arange(visit, visit + len(seen)),
        "customer_id": seen + 1,
        "store_id": seen_store,
        "second": seen_second,
        "day": seen_day,
    }
    _append(database, "visit", visits, "*")
    return sale + len(person), visit + len(seen)


def _moments(chance: np.random.Generator, crowd: _Crowd, person: Integers) -> tuple[Integers, Integers, Integers]:
    """Day, UTC second and store: some day while she was a customer, in opening hours, mostly at home."""
    size = len(person)
    day = crowd.first[person] + (chance.random(size) * (crowd.last[person] - crowd.first[person] + 1)).astype(np.int64)
    minute = 600 + (chance.beta(1.7, 1.5, size) * 690).astype(np.int64)
    elsewhere = chance.integers(1, crowd.stores + 1, size)
    store = np.where(chance.random(size) < 0.06, elsewhere, crowd.store[person])
    return day, day * 86_400 + minute * 60 - UTC_OFFSET_SECONDS, store


def _append(database: duckdb.DuckDBPyConnection, table: str, rows: Mapping[str, NDArray[Any]], columns: str) -> None:
    database.register("slice", dict(rows))
    database.execute(f"INSERT INTO {table} SELECT {columns} FROM slice")
    database.unregister("slice")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--purchases", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(write_world(arguments.path, arguments.customers, arguments.purchases, arguments.seed))


if __name__ == "__main__":
    main()
