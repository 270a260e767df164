"""Issue by issue: a bad row is named with its remedy, the rest goes in, nothing twice, nothing lost."""

import datetime as dt
from pathlib import Path

import pytest
from openpyxl import Workbook

from changke.facts.purchases.models import Receipt
from changke.interfaces.importers.problems import UnreadableFile
from tests.interfaces.importers.conftest import NOW, Load, counts
from tests.interfaces.importers.test_purchases import errors

HEAD = "单号,日期,手机号,金额,数量,单价\n"


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("2,2025/13/40,13800000002,100,1,100", "日期", "no such day"),
        ("2,2030-01-01,13800000002,100,1,100", "日期", "future"),
        ("2,,13800000002,100,1,100", "日期", "date is missing"),
        ("2,3/4/2025,13800000002,100,1,100", "日期", "told apart"),
        ("2,2026-01-03,1.38E+10,100,1,100", "手机号", "as text"),
        ("2,2026-01-03,12,100,1,100", "手机号", "not a valid phone"),
        ("2,2026-01-03,13800000002,999999999999,1,1", "金额", "10,000,000 CNY"),
        ("2,2026-01-03,13800000002,=1+1,1,1", "金额", "never run"),
        ("2,2026-01-03,13800000002,100,1,-100", "单价", "never negative"),
        ("2,2026-01-03,13800000002,,1,", "金额", "amount is missing"),
        ("2,2026-01-03,13800000002", "", "fewer cells"),
        ("2,2026-01-03,13800000002,100,1,100,x,y", "", "more cells"),
        ('2,"2026-01-03,13800000002,100,1,100', "", "never closed"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_goes_in(load: Load, row: str, column: str, words: str) -> None:
    good = "{0},2026-01-03,1380000000{0},100,1,100\n"
    outcome = load(HEAD + good.format(1) + row + "\n" + good.format(3))
    assert counts(outcome) == (2, 0, 0, 1)
    (named,) = errors(outcome.error_file)
    assert (named["Error row"], named["Error column"]) == ("3", column)
    assert words in named["Error reason"]
    assert set(Receipt.objects.values_list("number", flat=True)) == {"1", "3"}


@pytest.mark.parametrize(("minutes", "outcome"), [(9, (1, 0, 0, 0)), (11, (0, 0, 0, 1))])
def test_the_clock_of_a_till_may_run_ahead_by_ten_minutes(
    load: Load, minutes: int, outcome: tuple[int, int, int, int]
) -> None:
    ahead = NOW + dt.timedelta(minutes=minutes)
    loaded = load(f"单号,日期,手机号,金额\n1,{ahead:%Y-%m-%d %H:%M:%S},13800000001,100\n")
    assert counts(loaded) == outcome


def test_a_receipt_goes_in_whole_or_not_at_all(load: Load) -> None:
    outcome = load(
        "单号,日期,项目,数量,单价\n1,2026-01-03,a,1,10\n1,2026-13-03,b,1,10\n2,2026-01-03,c,1,10\n", create=True
    )
    assert counts(outcome) == (1, 0, 0, 2)
    reasons = {row["Error row"]: row["Error reason"] for row in errors(outcome.error_file)}
    assert "row 3 of the same receipt" in reasons["2"]


def test_dates_in_every_usual_shape_are_read(load: Load) -> None:
    shapes = ["20250101", "2025年1月1日", "45658", "2025/1/1", "2025-01-01T09:00:00+08:00", "2025.1.1"]
    rows = "".join(f"{number},{shape},1{number}\n" for number, shape in enumerate(shapes))
    assert counts(load("单号,日期,金额\n" + rows)) == (6, 0, 0, 0)
    assert {str(day) for day in Receipt.objects.values_list("business_date", flat=True)} == {"2025-01-01"}


def test_a_gbk_file_with_title_rows(load: Load) -> None:
    content = "静安店销售明细\n导出时间：2026-03-01\n\n单号,日期,金额（元）\n1,2026-01-03,100\n合计,,100\n".encode(
        "gbk"
    )
    outcome = load(content)
    assert counts(outcome) == (1, 0, 0, 1)  # the line of the total is no receipt, and is named
    assert errors(outcome.error_file)[0]["Error row"] == "6"


def test_a_workbook_of_several_sheets(load: Load, tmp_path: Path) -> None:
    book = Workbook()
    first = book.active
    first.append(["一月销售"])
    first.append(["单号", "日期", "手机", "金额"])
    first.append(["1", 45660, 13800000001, 100.5])
    second = book.create_sheet("二月")
    second.append(["金额", "单号", "日期", "手机"])
    second.append([200, "2", "2026-02-03", "13800000002"])
    book.create_sheet("说明").append(["谢谢使用"])
    book.save(tmp_path / "two.xlsx")
    assert counts(load([tmp_path / "two.xlsx"])) == (2, 0, 0, 0)
    assert set(Receipt.objects.values_list("number", "cash_minor")) == {("1", 10_050), ("2", 20_000)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "needed columns are missing: happened, amount"),
        ("12345\n", "no row of column names"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(load: Load, content: str, words: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        load(content)
    assert words in refused.value.words("en")


def test_a_file_cut_in_the_middle_loads_its_whole_rows(load: Load) -> None:
    outcome = load("单号,日期,手机号,金额\n1,2026-01-03,13800000001,100\n2,2026-01-0")
    assert counts(outcome) == (1, 0, 0, 1)
