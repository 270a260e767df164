"""An installation of 21 November is upgraded while others read and write its tables, and while a backup reads them."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from tests.house.test_migrations_lock_for_a_moment import BIG, RELEASED
from tests.interfaces.processes import changke, environment, last_line

AT_MOST_SECONDS = 1.0
BACKUP_SECONDS = 3.0
ROWS = 500

TO_RELEASED = """
import sys, django
django.setup()
from django.db import connection
from changke.foundation.database.migrating import Executor
words = sys.argv[1:]
for app, number in zip(words[: len(words) // 2], words[len(words) // 2 :]):
    executor = Executor(connection)
    executor.migrate([(app, executor.loader.get_migration_by_prefix(app, number).name)])
"""
FILL = f"""
INSERT INTO foundation_chain ("only", name, currency, time_zone, language, activity_kinds, silent_after_days,
  lost_after_days, mature_visit_days, gap_weight)
VALUES (TRUE, 'Jia', 'CNY', 'Asia/Shanghai', 'zh-hans', '{{visit,purchase,use}}', 60, 180, 6, 3);
INSERT INTO foundation_store (id, code, name, time_zone, opening_days, is_open)
VALUES (1, 'S1', 'One', 'Asia/Shanghai', '{{1,2,3,4,5,6,7}}', TRUE);
INSERT INTO facts_customer (id, name, pinyin, initials, name_grams, gender, occupation, income_band, city, interests,
  living, allergies, source, known_on, phone_tail, is_active, recorded_at, home_store_id)
SELECT n, 'N' || n, '', '', '{{}}', '', '', '', '', '', '', '', '', DATE '2026-01-01', right(n::text, 4), TRUE, now(), 1
FROM generate_series(1, {ROWS}) AS n;
INSERT INTO facts_identifier (kind, source, value, customer_id)
SELECT 'phone', '', '+86138' || lpad(n::text, 8, '0'), n FROM generate_series(1, {ROWS}) AS n;
INSERT INTO facts_tag (customer_id, name, source, recorded_at)
SELECT n, 'regular', 'staff', now() FROM generate_series(1, {ROWS}) AS n;
INSERT INTO facts_note (customer_id, text, photo, written_at)
SELECT n, 'likes tea', '', now() FROM generate_series(1, {ROWS}) AS n;
INSERT INTO facts_receipt (kind, number, source, customer_id, store_id, original_number, cash_minor, consumed_minor,
  margin_basis, items, happened_at, business_date, recorded_at, source_key)
SELECT 'sale', n::text, 'till', n, 1, '', 10000, 10000, 'unknown', 1, now(), DATE '2026-01-02', now(), n::text
FROM generate_series(1, {ROWS}) AS n;
INSERT INTO facts_visit (customer_id, store_id, purpose, source, happened_at, business_date, recorded_at, source_key)
SELECT n, 1, '', '', now(), DATE '2026-01-02', now(), n::text FROM generate_series(1, {ROWS}) AS n;
INSERT INTO facts_event (kind, customer_id, store_id, happened_at, business_date, recorded_at, source_key, data)
SELECT 'note.written', n, 1, now(), DATE '2026-01-02', now(), n::text, '{{}}' FROM generate_series(1, {ROWS}) AS n;
"""


@pytest.fixture
def old() -> Iterator[str]:
    """A database with the tables of 21 November and rows in them."""
    server = os.environ["DATABASE_URL"].replace("/changke?", "/postgres?", 1)
    name = f"changke_upgrade_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        parts = urlsplit(server)
        url = urlunsplit(parts._replace(path=f"/{name}"))
        migrate_to_released(url)
        with psycopg.connect(url) as filled:
            filled.execute(FILL)
        yield url
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def migrate_to_released(url: str) -> None:
    subprocess.run(
        [sys.executable, "-c", TO_RELEASED, *RELEASED, *RELEASED.values()],
        check=True, env=environment(DATABASE_URL=url, DATABASE_ROLE="owner", DJANGO_SETTINGS_MODULE="changke.settings"),
        timeout=120,
    )  # fmt: skip


class Others(threading.Thread):
    """Whoever uses the tables meanwhile: takes a writer's lock on each and reads a row, gives up after a second."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.longest, self.failed, self.looks = url, 0.0, "", 0
        self.enough = threading.Event()

    def run(self) -> None:
        with psycopg.connect(self.url, options="-c lock_timeout=1s") as others:
            while not self.enough.is_set():
                for table in sorted(BIG):
                    began = time.monotonic()
                    try:
                        others.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
                        others.execute(f"SELECT 1 FROM {table} LIMIT 1")
                    except psycopg.errors.LockNotAvailable:
                        self.failed = table
                    others.rollback()
                    self.longest = max(self.longest, time.monotonic() - began)
                self.looks += 1
                self.enough.wait(0.02)


def test_nobody_waits_longer_than_a_second_also_beside_a_backup(old: str, tmp_path: Path) -> None:
    others = Others(old)
    with psycopg.connect(old) as reading:
        for table in sorted(BIG):  # as pg_dump does, for as long as it takes
            reading.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
        threading.Timer(BACKUP_SECONDS, reading.rollback).start()
        others.start()
        done = last_line(changke("prepare", "--json", "--data", tmp_path / "data", DATABASE_URL=old))
        others.enough.set()
        others.join(10)
    assert int(str(done["migrations"])) > 20
    assert others.looks > 10
    assert not others.failed, f"somebody waited a second for {others.failed}"
    assert others.longest < AT_MOST_SECONDS
    with psycopg.connect(old) as after:
        valid = after.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
        clear = after.execute("SELECT count(*) FROM facts_identifier WHERE value IS NOT NULL").fetchone()
        unchecked = after.execute("SELECT count(*) FROM pg_constraint WHERE NOT convalidated").fetchone()
        worn = after.execute("SELECT count(*) FROM facts_tagspell WHERE tag_key IS NOT NULL").fetchone()
    assert (valid, clear, unchecked, worn) == ((0,), (0,), (0,), (ROWS,))
    again = last_line(changke("prepare", "--json", "--data", tmp_path / "data", DATABASE_URL=old))
    assert again["migrations"] == 0
