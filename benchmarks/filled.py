"""A PostgreSQL of our own with a large world in it, for the benchmarks that need the whole product.

Kept in the folder between runs: filling a million customers takes minutes. Ordinary logged tables, fsync on.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from benchmarks.world import write_world

from changke.foundation.database import launcher

UNKNOWN = ("pinyin", "initials", "occupation", "income_band", "city", "interests", "living", "allergies", "source")
CUSTOMERS = f"""
SELECT customer_id AS id, name, {", ".join(f"'' AS {name}" for name in UNKNOWN)}, '{{{{}}}}' AS name_grams, gender,
       birth_year, birth_month, birth_day, home_store_id, known_on, TRUE AS is_active,
       recorded_at
FROM '{{folder}}/customers.parquet'"""
RECEIPTS = """
SELECT receipt_id AS id, kind, number, source, customer_id, store_id, original_number, cash_minor, consumed_minor,
       margin_minor, margin_basis, items, happened_at, business_date, recorded_at, source_key
FROM '{folder}/receipts.parquet'"""
VISITS = """
SELECT visit_id AS id, customer_id, store_id, purpose, source, happened_at, business_date, recorded_at, source_key
FROM '{folder}/visits.parquet'"""
CHAIN = """
INSERT INTO foundation_chain ("only", name, currency, time_zone, language, activity_kinds, silent_after_days,
                              lost_after_days, mature_visit_days, gap_weight, second_factor_required)
VALUES (TRUE, 'Benchmark', 'CNY', 'Asia/Shanghai', 'zh-hans', '{visit,purchase,use}', 60, 180, 6, 3, FALSE)
ON CONFLICT DO NOTHING"""
STORES = """
INSERT INTO foundation_store (id, code, name, time_zone, opening_days, is_open)
SELECT n, 'S' || n, 'Store ' || n, 'Asia/Shanghai', '{1,2,3,4,5,6,7}', TRUE FROM generate_series(1, 12) AS n
ON CONFLICT DO NOTHING"""
CAME = """
INSERT INTO facts_guest (customer_id, store_id, person_id)
SELECT customer_id, store_id, customer_id FROM facts_receipt WHERE customer_id IS NOT NULL
UNION SELECT customer_id, store_id, customer_id FROM facts_visit"""
BROUGHT = """
INSERT INTO facts_referral (customer_id, referrer_id, how, happened_at, business_date, recorded_at, source_key)
SELECT id, CAST(1 + floor(power((id * 7919 % 1000) / 1000.0, 3) * (id - 1)) AS bigint), 'file',
       known_on + time '04:00', known_on, recorded_at, 'brought-' || id
FROM facts_customer WHERE id % 5 = 0 AND NOT EXISTS (SELECT FROM facts_referral)"""
"""A fifth of the customers came through a friend; most of these brought few, some many."""
TABLES = {"facts_customer": CUSTOMERS, "facts_receipt": RECEIPTS, "facts_visit": VISITS}


@contextmanager
def filled(folder: Path, customers: int, purchases: int) -> Iterator[None]:
    """The server runs, and Django is connected to it as its owner."""
    data = folder / f"server_{customers}_{purchases}"
    os.environ |= {
        "DATA_DIR": str(data),
        "DATABASE_ROLE": "owner",
        "DJANGO_SETTINGS_MODULE": "changke.settings",
        "PGOPTIONS": "-c timezone=UTC",
    }
    with launcher.running(data, say=print):
        import django  # noqa: PLC0415 -- settings read the environment set above

        django.setup()
        from django.core.management import call_command  # noqa: PLC0415
        from django.db import connection  # noqa: PLC0415

        from changke.foundation.database import rows_seen  # noqa: PLC0415
        from changke.foundation.organisation.scope import CHAIN_WIDE  # noqa: PLC0415

        call_command("migrate", verbosity=0)
        with connection.cursor() as sql:
            sql.execute("SELECT reltuples > 0 FROM pg_class WHERE relname = 'facts_receipt'")
            if not sql.fetchone()[0]:
                _fill(folder, customers, purchases, sql)
            _bring(sql)
            _say_what_it_is(sql)
        with rows_seen.seeing(CHAIN_WIDE):
            yield


def _fill(folder: Path, customers: int, purchases: int, sql: Any) -> None:
    from changke.foundation.database import row_security  # noqa: PLC0415 -- Django is set up by then

    write_world(folder, customers, purchases)
    sql.execute(CHAIN)
    sql.execute(STORES)
    for table, query in TABLES.items():
        start = time.perf_counter()
        file = folder / f"{table}.csv"
        with duckdb.connect() as duck:
            names = duck.sql(query.format(folder=folder)).columns
            duck.execute(f"COPY ({query.format(folder=folder)}) TO '{file}' (HEADER false, NULLSTR '\\N')")
        into = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT csv, NULL '\\N')"
        sql.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")  # COPY knows none; `apply` puts it back
        sql.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # they mean batches, not ten million rows at once
        with sql.copy(into) as copy, file.open("rb") as lines:
            while block := lines.read(1 << 20):
                copy.write(block)
        file.unlink()
        sql.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        sql.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))")
        print(f"filled {table} in {time.perf_counter() - start:.0f} s")
    row_security.apply()
    sql.execute("SET changke.stores = '*'")
    sql.execute(CAME)
    sql.execute("VACUUM ANALYZE")


def _bring(sql: Any) -> None:
    """Who brought whom, also into a world that was filled before anybody asked."""
    sql.execute("SET changke.stores = '*'")
    sql.execute("ALTER TABLE facts_referral DISABLE TRIGGER USER")
    sql.execute(BROUGHT)
    sql.execute("ALTER TABLE facts_referral ENABLE TRIGGER USER")
    sql.execute("ANALYZE facts_referral")


def _say_what_it_is(sql: Any) -> None:
    for name in ("server_version", "fsync", "synchronous_commit", "shared_buffers"):
        sql.execute(f"SHOW {name}")
        value = sql.fetchone()[0]
        print(f"{name} = {value}")
        if name in {"fsync", "synchronous_commit"} and value != "on":
            raise SystemExit(f"{name} is {value}: these numbers would mean nothing")
    sql.execute(
        "SELECT relname, pg_size_pretty(pg_total_relation_size(oid)), reltuples::bigint FROM pg_class"
        " WHERE relname IN ('facts_customer', 'facts_receipt', 'facts_visit', 'profiles_profile') ORDER BY 1"
    )
    for name, size, rows in sql.fetchall():
        print(f"{name}: about {rows:,} rows, {size} with indexes")
