"""The sample files of the tutorials are what the script writes today, small, and as awkward as real ones."""

from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from scripts import make_samples

from changke.engine.synthetic import World

SAMPLES = Path(__file__).parents[2] / "playbooks/beauty/samples"


@pytest.fixture(scope="module")
def world() -> World:
    return make_samples.sample_world()


def test_the_checked_in_files_are_those_that_the_script_writes(world: World) -> None:
    purchases = make_samples.as_csv(make_samples.PURCHASE_COLUMNS, make_samples.purchases(world))
    customers = make_samples.as_csv(make_samples.CUSTOMER_COLUMNS, make_samples.customers(world))
    assert (SAMPLES / "purchases.csv").read_bytes().decode() == purchases
    assert (SAMPLES / "customers-gbk.csv").read_bytes().decode("gbk") == customers
    book = openpyxl.load_workbook(SAMPLES / "purchases-2026-10.xlsx")
    sheets = make_samples.october(world)
    assert book.sheetnames == list(sheets)
    for name, rows in sheets.items():
        width = max(map(len, rows))
        cells = [tuple("" if cell is None else cell for cell in row) for row in book[name].iter_rows(values_only=True)]
        assert cells == [(*row, *[""] * (width - len(row))) for row in rows]


def test_the_customer_book_cannot_be_read_as_utf_8() -> None:
    with pytest.raises(UnicodeDecodeError):
        (SAMPLES / "customers-gbk.csv").read_text(encoding="utf-8")


def test_the_purchases_hold_every_kind_of_receipt_and_some_of_nobody(world: World) -> None:
    rows = [dict(zip(make_samples.PURCHASE_COLUMNS, row, strict=True)) for row in make_samples.purchases(world)]
    assert {row["类型"] for row in rows} == {"消费", "耗卡", "退款"}
    assert {"散客"} < {row["会员姓名"] for row in rows}
    assert {row["项目类型"] for row in rows} == {"服务", "产品", "疗程卡", "充值"}


def test_together_they_stay_under_300_kilobytes() -> None:
    assert 30_000 < sum(file.stat().st_size for file in SAMPLES.iterdir()) < 300_000
