"""A backup taken while the shop sells is one moment of it: whole receipts, or none; restored, it is silent."""

import json
import os
import shutil
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from changke.foundation.database import launcher
from changke.foundation.database.config import read_embedded
from tests.interfaces.processes import changke, last_line
from tests.server import data_folder

SELLERS = 3
RECEIPT = """
INSERT INTO facts_receipt (kind, number, source, customer_id, store_id, original_number, cash_minor, consumed_minor,
  margin_basis, items, happened_at, business_date, recorded_at, source_key)
SELECT 'sale', '', 'till', max(id), (SELECT min(id) FROM foundation_store), '', 300, 300, 'unknown', 2, now(),
  DATE '2026-01-05', now(), gen_random_uuid() FROM facts_customer RETURNING id
"""
LINE = """
INSERT INTO facts_line (receipt_id, position, description, quantity_milli, unit_price_minor, amount_minor)
VALUES (%s, %s, '', 1000, %s, %s)
"""
BOOKS = """
SELECT (SELECT count(*) FROM facts_receipt WHERE source = 'till'),
       (SELECT coalesce(sum(cash_minor), 0) FROM facts_receipt WHERE source = 'till'),
       (SELECT count(*) FROM facts_line AS line JOIN facts_receipt AS whole ON whole.id = line.receipt_id
        WHERE whole.source = 'till'),
       (SELECT coalesce(sum(amount_minor), 0) FROM facts_line AS line
        JOIN facts_receipt AS whole ON whole.id = line.receipt_id WHERE whole.source = 'till')
"""


class Seller(threading.Thread):
    """Sells as fast as it can: a receipt of 300 with lines of 100 and 200, in one transaction."""

    def __init__(self, conninfo: str) -> None:
        super().__init__(daemon=True)
        self.conninfo, self.sold, self.enough = conninfo, 0, threading.Event()

    def run(self) -> None:
        with psycopg.connect(self.conninfo) as till:
            while not self.enough.is_set():
                (receipt,) = till.execute(RECEIPT).fetchone()  # type: ignore[misc]
                till.execute(LINE, [receipt, 1, 100, 100])
                till.execute(LINE, [receipt, 2, 200, 200])
                till.commit()
                self.sold += 1


@pytest.fixture
def place() -> Iterator[Path]:
    path = data_folder("load")
    yield path
    for folder in ("shop", "back"):
        launcher.stop(path / folder)
    shutil.rmtree(path, ignore_errors=True)


def books(folder: Path) -> tuple[int, int, int, int]:
    with psycopg.connect(read_embedded(folder).connection("reader").conninfo) as reader:
        receipts, money, lines, parts = reader.execute(BOOKS).fetchone()  # type: ignore[misc]
        return int(receipts), int(money), int(lines), int(parts)


def checks(folder: Path) -> dict[str, str]:
    report = last_line(changke("doctor", "--json", "--data", folder))
    return {one["check"]: one["status"] for one in report["findings"]}  # type: ignore[attr-defined]


def test_a_backup_under_load_is_one_moment_and_its_restored_copy_is_silent(place: Path) -> None:
    shop, back, archive = place / "shop", place / "back", place / "backup.tar"
    with launcher.running(shop):
        assert changke("prepare", "--data", shop).returncode == 0
        assert changke("found", "Jia Beauty", "--data", shop).returncode == 0
        file = place / "sales.csv"
        file.write_text("单号,日期,门店,手机,实收\n1,2026-01-05,S1,13800000001,100\n2,2026-01-05,S1,13800000002,50\n")
        last_line(changke("load", file, "--as", "purchases", "--create", "--json", "--data", shop))
        last_line(changke("person", "erase", 1, "--reason", "asked", "--yes", "--json", "--data", shop))
        sellers = [Seller(read_embedded(shop).connection("superuser").conninfo) for _ in range(SELLERS)]
        for seller in sellers:
            seller.start()
        last_line(changke("backup", archive, "--json", "--data", shop))
        for seller in sellers:
            seller.enough.set()
            seller.join(30)
        sold = sum(seller.sold for seller in sellers)
        assert books(shop) == (sold, sold * 300, sold * 2, sold * 300)
    with tarfile.open(archive) as tar:
        assert "instance.json" not in {Path(name).name for name in tar.getnames()}
    last_line(changke("restore", archive, "--json", "--data", back))
    with launcher.running(back):
        receipts, *rest = books(back)
        assert 0 < receipts < sold, "taken in the middle of it"
        assert rest == [receipts * 300, receipts * 2, receipts * 300], (
            "no receipt without its lines, no line without it"
        )
        with psycopg.connect(read_embedded(back).connection("superuser").conninfo) as reader:
            (erased,) = reader.execute("SELECT is_erased FROM facts_customer WHERE id = 1").fetchone()  # type: ignore[misc]
            keys = reader.execute("SELECT count(*) FROM foundation_personkey WHERE person_id = 1").fetchone()
        assert (erased, keys) == (True, (0,))
        found = checks(back)
        assert (found["audit trail"] != "failed", found["append-only"], found["sending"]) == (True, "ok", "warning")
        confirmed = last_line(changke("confirm", "--json", "--data", back))
        assert confirmed == {"was_paused": "unconfirmed"}
        assert checks(back)["sending"] == "ok"
    assert json.loads((back / "instance.json").read_text())["epoch"] == 1


def test_one_user_for_everything_saves_every_row_although_policies_bind_it(tmp_path: Path) -> None:
    server = os.environ["DATABASE_URL"]
    plain, names = f"plain_{os.getpid()}", [f"changke_{one}_{os.getpid()}" for one in ("shop", "back")]
    shop, back = (server.replace("postgres:tests@/changke?", f"{plain}:plain@/{name}?") for name in names)
    with psycopg.connect(server.replace("/changke?", "/postgres?"), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'plain'").format(sql.Identifier(plain)))
        for name in names:
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(plain)))
        try:
            assert changke("prepare", "--data", tmp_path / "shop", DATABASE_URL=shop).returncode == 0
            file = tmp_path / "sales.csv"
            file.write_text(
                "单号,日期,门店,手机,实收\n1,2026-01-05,S1,13800000001,100\n2,2026-01-05,S1,13800000002,50\n"
            )
            changke("found", "Jia Beauty", "--data", tmp_path / "shop", DATABASE_URL=shop)
            load = ("load", file, "--as", "purchases", "--create", "--json", "--data", tmp_path / "shop")
            last_line(changke(*load, DATABASE_URL=shop))
            archive = tmp_path / "backup.tar"
            last_line(changke("backup", archive, "--json", "--data", tmp_path / "shop", DATABASE_URL=shop))
            last_line(changke("restore", archive, "--json", "--data", tmp_path / "back", DATABASE_URL=back))
            with psycopg.connect(server.replace("/changke?", f"/{names[1]}?")) as reader:
                assert reader.execute("SELECT count(*) FROM facts_customer").fetchone() == (2,)
        finally:
            for name in names:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(plain)))
