"""The large chain of the benchmarks, made small: what is asked for is there, and the rows are as a till writes them."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from benchmarks import world


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("world")
    world.write_world(path, customers=2000, purchases=20_000, seed=5)
    return path


def ask(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as database:
        for table in world.TABLES:
            database.execute(f"CREATE VIEW {table} AS SELECT * FROM '{folder / table}.parquet'")
        return database.execute(query).fetchall()


def test_there_are_exactly_as_many_customers_and_purchases_as_asked(folder: Path) -> None:
    assert ask(folder, "SELECT count(*), count(DISTINCT phone) FROM customers") == [(2000, 2000)]
    assert ask(folder, "SELECT count(*) FROM receipts WHERE kind = 'sale' AND customer_id IS NOT NULL") == [(20_000,)]


def test_the_same_seed_writes_the_same_rows(folder: Path, tmp_path: Path) -> None:
    world.write_world(tmp_path, customers=2000, purchases=20_000, seed=5)
    for table in world.TABLES:
        assert ask(folder, f"SELECT * FROM {table}") == ask(tmp_path, f"SELECT * FROM {table}")


def test_invented_in_slices_the_world_is_still_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "SLICE", 700)
    size = world.write_world(tmp_path, customers=900, purchases=5000, seed=2)
    assert ask(tmp_path, "SELECT count(*), min(customer_id), max(customer_id) FROM customers") == [(900, 1, 900)]
    sales = "SELECT count(*), count(DISTINCT number) FROM receipts WHERE kind = 'sale' AND customer_id IS NOT NULL"
    assert ask(tmp_path, sales) == [(5000, 5000)]
    assert ask(tmp_path, "SELECT count(DISTINCT source_key) FROM receipts") == [(size.receipts,)]
    assert ask(tmp_path, "SELECT count(DISTINCT source_key) FROM visits") == [(size.visits,)]


def test_receipts_lie_in_the_order_of_time_and_not_customer_by_customer(folder: Path) -> None:
    ids = ask(folder, "SELECT receipt_id, happened_at, customer_id FROM receipts")
    assert [row[0] for row in ids] == list(range(1, len(ids) + 1))
    assert [row[1] for row in ids] == sorted(row[1] for row in ids)
    neighbours = sum(one[2] == two[2] for one, two in pairwise(ids)) / len(ids)
    assert neighbours < 0.1


def test_the_business_date_is_the_day_in_shanghai(folder: Path) -> None:
    for table in ("receipts", "visits"):
        query = f"SELECT count(*) FROM {table} WHERE (happened_at + INTERVAL 8 HOUR)::DATE <> business_date"
        assert ask(folder, query) == [(0,)]


def test_a_few_buy_most_many_have_left_and_some_never_bought(folder: Path) -> None:
    ((buyers, top_share, silent),) = ask(
        folder,
        """
        WITH sales AS (
            SELECT customer_id, count(*) AS purchases, max(business_date) AS last_on
            FROM receipts WHERE kind = 'sale' AND customer_id IS NOT NULL GROUP BY customer_id
        ), ranked AS (SELECT *, percent_rank() OVER (ORDER BY purchases DESC) AS place FROM sales)
        SELECT count(*), sum(purchases) FILTER (WHERE place <= 0.2) / sum(purchases),
               avg((last_on < DATE '2026-11-21' - 180)::INTEGER)
        FROM ranked
        """,
    )
    assert 0.8 * 2000 < buyers < 2000
    assert top_share > 0.5
    assert 0.3 < silent < 0.75


def test_no_money_comes_in_by_a_use_and_no_return_exceeds_or_precedes_its_sale(folder: Path) -> None:
    assert ask(folder, "SELECT max(cash_minor), min(consumed_minor) > 0 FROM receipts WHERE kind = 'use'") == [
        (0, True)
    ]
    returns = """
        SELECT count(*), count(sale.number), bool_and(back.happened_at > sale.happened_at),
               bool_and(back.cash_minor <= sale.cash_minor), bool_and(back.customer_id = sale.customer_id)
        FROM receipts AS back LEFT JOIN receipts AS sale ON sale.number = back.original_number AND sale.kind = 'sale'
        WHERE back.kind = 'return'
    """
    ((count, found, *fair),) = ask(folder, returns)
    assert count == found > 100
    assert fair == [True, True, True]


def test_some_receipts_are_equal_to_the_last_digit_but_for_their_number(folder: Path) -> None:
    query = """
        SELECT count(*) FROM (
            SELECT 1 FROM receipts WHERE kind = 'sale' AND customer_id IS NOT NULL
            GROUP BY customer_id, store_id, happened_at, cash_minor, items HAVING count(*) > 1
        )
    """
    assert ask(folder, query)[0][0] > 100


def test_a_table_is_written_as_csv_for_copy_and_for_the_importer(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "receipts.csv"
    world.write_csv(folder, "receipts", target, "number, customer_id, business_date, cash_minor")
    lines = target.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "number,customer_id,business_date,cash_minor"
    assert len(lines) - 1 == ask(folder, "SELECT count(*) FROM receipts")[0][0]
