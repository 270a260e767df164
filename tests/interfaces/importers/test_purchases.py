"""Rows of purchases become receipts; the same rows never become them twice. docs/algorithms/import.md as tables."""

import csv
from pathlib import Path

import pytest
from django.db import connection

from changke.facts.catalog.models import Item
from changke.facts.catalog.services.intake import NewItem, take_in_items
from changke.facts.customers.models import Customer, Identifier
from changke.facts.purchases import rules
from changke.facts.purchases.models import Line, Opening, Receipt, Tender
from changke.facts.visits.models import Visit
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.services import NotUndoable
from changke.interfaces.importers import pipeline
from changke.interfaces.importers.problems import UnreadableFile
from tests.interfaces.importers.conftest import NOW, Load, counts

HEAD = "单号,日期,手机号,金额\n"


def errors(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def living() -> list[tuple[str, int]]:
    return list(Receipt.objects.filter(withdrawn_by=None).order_by("id").values_list("kind", "cash_minor"))


def test_the_same_file_twice_changes_nothing(load: Load) -> None:
    content = HEAD + "1,2026-01-03,13800000001,100\n2,2026-01-03,13800000002,50\n"
    assert counts(load(content)) == (2, 0, 0, 0)
    assert counts(load(content)) == (0, 0, 2, 0)
    assert Receipt.objects.count() == 2
    assert Customer.objects.count() == 2


def test_equal_rows_without_a_number_stay_and_overlaps_add_only_what_is_new(load: Load) -> None:
    head, row = "日期,手机号,金额\n", "2026-01-03,13800000001,100\n"
    assert counts(load(head + row * 2)) == (2, 0, 0, 0)
    assert counts(load(head + row * 3 + "2026-01-04,13800000001,100\n")) == (2, 0, 2, 0)
    assert Receipt.objects.count() == 4


def test_overlapping_files_of_one_batch_count_once(load: Load, tmp_path: Path) -> None:
    head, row = "日期,手机号,金额\n", "2026-01-03,13800000001,100\n"
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    paths[0].write_text(head + row * 2)
    paths[1].write_text(head + row * 3)
    assert counts(load(paths)) == (3, 0, 2, 0)


def test_lines_with_one_number_are_one_receipt_wherever_they_stand(load: Load) -> None:
    content = (
        "单号,日期,项目,数量,单价\n"
        "1,2026-01-03,补水,1,100\n2,2026-01-03,精油,1,50\n1,2026-01-03,精油,2,50\n1,2026-01-03,精油,2,50\n"
    )
    assert counts(load(content, create=True)) == (4, 0, 0, 0)
    assert living() == [("sale", 30_000), ("sale", 5_000)]
    assert Line.objects.count() == 4
    assert Item.objects.filter(name="精油").exists()


@pytest.mark.parametrize(
    ("rows", "expected", "code"),
    [
        ("1,2026-01-03,13800000001,100\n1,2026-01-03,13800000001,100\n", (1, 0, 1, 0), ""),
        ("1,2026-01-03,13800000001,100\n1,2026-01-03,13800000001,120\n", (0, 0, 0, 2), "different contents"),
        ("1,2026-01-03,13800000001,100\n1,2026-01-04,13800000001,100\n", (0, 0, 0, 2), "different days"),
        ("1,2026-01-03,13800000001,100\n1,2026-01-03,13800000002,100\n", (0, 0, 0, 2), "different customers"),
    ],
)
def test_a_number_that_comes_again_in_one_file(
    load: Load, rows: str, expected: tuple[int, int, int, int], code: str
) -> None:
    outcome = load(HEAD + rows)
    assert counts(outcome) == expected
    if code:
        assert all(code in row["Error reason"] for row in errors(outcome.error_file))


def test_a_till_that_restarts_its_numbers_daily(load: Load) -> None:
    content = HEAD + "1,2026-01-03,13800000001,100\n1,2026-01-04,13800000001,90\n"
    assert counts(load(content, numbers_restart="daily")) == (2, 0, 0, 0)


def test_a_known_number_with_other_contents_is_refused_not_edited(load: Load) -> None:
    load(HEAD + "1,2026-01-03,13800000001,100\n")
    outcome = load(HEAD + "1,2026-01-03,13800000001,120\n2,2026-01-03,13800000001,5\n")
    assert counts(outcome) == (1, 0, 0, 1)
    assert "already in with other contents" in errors(outcome.error_file)[0]["Error reason"]
    assert living() == [("sale", 10_000), ("sale", 500)]


def test_a_return_may_come_before_its_purchase(load: Load) -> None:
    load("单号,原单号,类型,日期,手机号,金额\nT1,1,退款,2026-01-05,13800000001,-100\n")
    load(HEAD + "1,2026-01-03,13800000001,100\n")
    back = Receipt.objects.get(kind="return")
    assert (back.original_number, back.cash_minor) == ("1", 10_000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT receipt_id FROM live.returns WHERE return_id = %s", [back.pk])
        assert cursor.fetchone() == (Receipt.objects.get(number="1", kind="sale").pk,)


BACK = "单号,原单号,类型,日期,手机号,金额\n"


def test_no_more_is_given_back_than_was_paid(load: Load) -> None:
    """The file names the row and what is left; whatever the order of its rows, the purchase comes first."""
    rows = (
        "T1,1,退款,2026-01-05,13800000001,-60\n"
        "T2,1,退款,2026-01-06,13800000001,-60\n"
        "1,,销售,2026-01-03,13800000001,100\n"
        "T3,1,退款,2026-01-07,13800000001,-40\n"
    )
    outcome = load(BACK + rows)
    assert counts(outcome) == (3, 0, 0, 1)
    [row] = errors(outcome.error_file)
    assert (row["Error row"], row["Error column"]) == ("3", "金额")
    assert "at most 40" in row["Error reason"]
    assert counts(load(BACK + rows)) == (0, 0, 3, 1), "the same file again: what is known is not judged anew"
    outcome = load(BACK + "T4,1,退款,2026-01-08,13800000001,-0.01\n")
    assert counts(outcome) == (0, 0, 0, 1)
    assert "at most 0" in errors(outcome.error_file)[0]["Error reason"]


def test_given_back_twice_through_two_files(load: Load) -> None:
    load(HEAD + "1,2026-01-03,13800000001,100\n")
    assert counts(load(BACK + "T1,1,退款,2026-01-05,13800000001,-100\n")) == (1, 0, 0, 0)
    assert counts(load(BACK + "T2,1,退款,2026-01-05,13800000001,-100\n")) == (0, 0, 0, 1)


def test_a_return_before_its_purchase_waits_and_then_counts_against_it(load: Load) -> None:
    assert counts(load(BACK + "T1,1,退款,2026-01-05,13800000001,-100\n")) == (1, 0, 0, 0)
    load(HEAD + "1,2026-01-03,13800000001,100\n")
    assert counts(load(BACK + "T2,1,退款,2026-01-05,13800000001,-1\n")) == (0, 0, 0, 1)


def test_a_return_without_any_number_meets_its_purchase(load: Load) -> None:
    load("日期,手机号,金额\n2026-01-03,13800000001,100\n2026-01-04,13800000001,80\n2026-01-09,13800000001,-80\n")
    with connection.cursor() as cursor:
        cursor.execute("SELECT receipt_id FROM live.returns")
        assert cursor.fetchall() == [(Receipt.objects.get(cash_minor=8_000, kind="sale").pk,)]


@pytest.mark.parametrize(
    ("row", "kind", "cash", "consumed"),
    [
        ("销售,补水,1,100,微信", "sale", 10_000, 10_000),
        ("消费,补水,1,100,储值卡", "use", 0, 10_000),
        ("耗卡,补水,1,100,", "use", 0, 10_000),
        (",补水,-1,100,现金", "return", 10_000, 10_000),
        ("退款,补水,1,100,微信", "return", 10_000, 10_000),
        ("办卡,补水十次卡,1,1980,支付宝", "sale", 198_000, 0),
    ],
)
def test_what_a_row_means(load: Load, row: str, kind: str, cash: int, consumed: int) -> None:
    take_in_items([NewItem("C10", "补水十次卡", "card"), NewItem("F1", "补水", "service")])
    outcome = load(f"类型,项目,数量,单价,支付方式,日期,手机\n{row},2026-01-03,13800000001\n")
    assert counts(outcome) == (1, 0, 0, 0)
    receipt = Receipt.objects.get()
    assert (receipt.kind, receipt.cash_minor, receipt.consumed_minor) == (kind, cash, consumed)


def test_bulk_and_hand_reckon_the_same_money(load: Load) -> None:
    """The sets in the scratch database and `rules.reckon`, over every mix of items and tenders."""
    take_in_items(
        [NewItem("F", "护理", "service", "面部"), NewItem("P", "面霜", "product"), NewItem("K", "次卡", "card")]
    )
    Item.objects.filter(code="P").update(unit_cost_minor=1_234)
    lines = {"护理": ("service", None), "面霜": ("product", 1_234), "次卡": ("card", None)}
    ways = {"微信": "wechat", "储值": "stored_value", "耗卡": "session", "": None}
    content, expected = "单号,日期,项目,数量,金额,支付方式\n", {}
    number = 0
    for first in lines:
        for second in lines:
            for way, code in ways.items():
                number += 1
                amounts = ((first, 1, 10_050), (second, 3, 3_333))
                for name, quantity, minor in amounts:
                    content += f"{number},2026-01-03,{name},{quantity},{minor / 100:.2f},{way}\n"
                sold = [
                    rules.SoldLine(lines[name][0], minor, quantity * 1000, cost and cost * quantity)
                    for name, quantity, minor in amounts
                    for cost in [lines[name][1]]
                ]
                paid = [rules.Paid(code, minor) for _, _, minor in amounts] if code else []
                expected[str(number)] = rules.reckon(sold, paid)
    load(content)
    for receipt in Receipt.objects.all():
        assert (
            rules.Reckoning(
                receipt.kind,
                receipt.cash_minor,
                receipt.consumed_minor,
                receipt.margin_minor,
                receipt.margin_basis,
                receipt.items,
            )
            == expected[receipt.number]
        ), receipt.number
    assert Receipt.objects.count() == number


def test_several_tender_columns(load: Load) -> None:
    load("单号,日期,金额,现金,储值\n1,2026-01-03,100,60,40\n")
    assert living() == [("sale", 6_000)]
    assert sorted(Tender.objects.values_list("kind", "amount_minor")) == [("cash", 6_000), ("stored_value", 4_000)]


def test_a_receipt_without_a_customer_counts_for_its_store_only(load: Load) -> None:
    assert counts(load("单号,日期,金额\n1,2026-01-03,100\n")) == (1, 0, 0, 0)
    assert Receipt.objects.get().customer is None
    assert Customer.objects.count() == 0


def test_the_business_date_is_the_stores_day(load: Load) -> None:
    load("单号,日期,金额\n1,2026-01-03T17:00:00Z,100\n2,2026-01-03 23:59,100\n")
    assert [str(day) for day in Receipt.objects.order_by("number").values_list("business_date", flat=True)] == [
        "2026-01-04", "2026-01-03",
    ]  # fmt: skip


def test_unknown_stores_staff_and_items_are_listed_then_created(load: Load, write: object) -> None:
    content = "单号,日期,金额,门店,员工,项目\n1,2026-01-03,100,新天地店,小李,补水\n2,2026-01-03,100,静安店,小李,补水\n"
    outcome = load(content)
    assert counts(outcome) == (1, 0, 0, 1)
    assert "no such store" in errors(outcome.error_file)[0]["Error reason"]
    batch = Batch.objects.latest("id")
    analysis = pipeline.analyse(batch.pk, now=NOW)
    assert [(each.what, each.word, each.rows) for each in analysis.unknown] == [
        ("store", "新天地店", 1), ("staff", "小李", 2), ("item", "补水", 2),
    ]  # fmt: skip
    assert analysis.refused == 0
    assert counts(load(content.replace("\n2,", "\n3,"), matches={"store": {"新天地店": "XH"}})) == (2, 0, 0, 0)
    assert counts(load(content.replace("\n1,", "\n4,").replace("\n2,", "\n5,"), create=True)) == (2, 0, 0, 0)


def test_a_mended_error_file_goes_in_and_changes_nothing_twice(load: Load, tmp_path: Path) -> None:
    head = "日期,手机号,金额,备注\n"
    outcome = load(head + "2026-01-03,13800000001,100,x\n" + "2026-01-03,13800000001,1O0,=1+1\n")
    assert counts(outcome) == (1, 0, 0, 1)
    text = Path(outcome.error_file).read_text(encoding="utf-8-sig")
    assert "'=1+1" in text
    row = errors(outcome.error_file)[0]
    assert (row["Error row"], row["Error column"], row["Error value"]) == ("3", "金额", "1O0")
    mended = tmp_path / "mended.csv"
    mended.write_text(text.replace("1O0,'", "100,'"))
    assert counts(load([mended])) == (1, 0, 0, 0)  # equal to the loaded row, and yet another purchase
    assert counts(load([mended])) == (0, 0, 1, 0)
    assert Receipt.objects.count() == 2


def test_undo_withdraws_facts_and_hides_customers_known_by_nobody_else(load: Load) -> None:
    load(HEAD + "1,2026-01-03,13800000001,100\n")
    outcome = load(HEAD + "2,2026-01-03,13800000001,100\n3,2026-01-03,13800000002,100\n")
    assert pipeline.undo(outcome.batch, now=NOW) == 2
    assert living() == [("sale", 10_000)]
    assert list(Customer.objects.order_by("id").values_list("is_active", flat=True)) == [True, False]
    assert Batch.objects.get(pk=outcome.batch).status == BatchStatus.WITHDRAWN
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM live.purchases")
        assert cursor.fetchone() == (1,)
    assert counts(load(HEAD + "3,2026-01-03,13800000002,90\n")) == (1, 0, 0, 0)  # the number is free again
    assert Customer.objects.filter(is_active=True).count() == 2


def test_a_waiting_batch_cannot_be_undone(load: Load) -> None:
    batch = pipeline.start([], kind="purchases", now=NOW)
    with pytest.raises(NotUndoable):
        pipeline.undo(batch.pk, now=NOW)


def test_customers_are_created_updated_and_known_again(load: Load) -> None:
    head = "会员号,姓名,手机,生日,性别,城市\n"
    assert counts(load(head + "K1,张三,13800000001,5月1日,女,上海\n", "customers")) == (1, 0, 0, 0)
    assert counts(load(head + "K1,张三,13800000001,5月1日,女,\n", "customers")) == (0, 0, 1, 0)
    assert counts(load(head + "K1,张三丰,,,,\n,李四,13900000002,,,\n", "customers")) == (1, 1, 0, 0)
    zhang = Customer.objects.get(identifiers__value="K1")
    assert (zhang.name, zhang.initials, zhang.city, zhang.birth_month, zhang.gender) == (
        "张三丰",
        "zsf",
        "上海",
        5,
        "f",
    )


def test_a_phone_shared_by_two_member_numbers_makes_two_customers(load: Load) -> None:
    load("会员号,姓名,手机\nK1,妈妈,13800000001\nK2,女儿,13800000001\n", "customers")
    assert Customer.objects.count() == 2
    assert Identifier.objects.get(kind="phone", shared=False).customer.name == "妈妈"
    assert Identifier.objects.get(kind="phone", shared=True).customer.name == "女儿"


def test_a_phone_alone_finds_whom_another_row_introduced(load: Load) -> None:
    load("会员号,手机,日期,金额\nK1,13800000001,2026-01-03,1\n,13800000001,2026-01-04,2\n")
    assert Customer.objects.count() == 1


def test_emoji_and_rare_characters_stay_in_names(load: Load) -> None:
    load("姓名,手机\n𠮷田😀,13800000001\n", "customers")
    assert Customer.objects.get().name == "𠮷田😀"


def test_visits_load_once(load: Load) -> None:
    content = "到店时间,手机号,目的\n2026-01-03 10:00,13800000001,护理\n2026-01-03 10:00,13800000001,护理\n"
    assert counts(load(content, "visits")) == (2, 0, 0, 0)
    assert counts(load(content, "visits")) == (0, 0, 2, 0)
    assert Visit.objects.count() == 2


def test_a_summary_line_is_an_opening(load: Load) -> None:
    head = "手机号,首次消费,最近消费,消费次数,累计消费\n"
    assert counts(load(head + "13800000001,2020-05-01,2025-12-01,12,8800\n")) == (1, 0, 0, 0)
    assert counts(load(head + "13800000001,2020-05-01,2025-12-01,12,8800\n")) == (0, 0, 1, 0)
    assert counts(load(head + "13800000001,2020-05-01,2025-12-01,13,8900\n13800000002,2025-1-2,2024-1-1,1,1\n")) == (
        0,
        0,
        0,
        2,
    )
    opening = Opening.objects.get()
    assert (opening.purchases, opening.cash_minor, str(opening.business_date)) == (12, 880_000, "2025-12-01")
    assert str(opening.customer.known_on) == "2020-05-01"


def test_a_mapping_is_remembered_by_the_header(load: Load) -> None:
    content = "甲,乙,丙\n2026-01-03,100,13800000001\n"
    load(content, mapping={"happened": "甲", "amount": "乙", "phone": "丙"})
    assert counts(load(content.replace("100", "200"))) == (1, 0, 0, 0)


def test_another_currency_is_refused_unless_told(load: Load) -> None:
    content = "customer_id,date,cds,amount\n1,1997-01-01,1,11.77\n"
    with pytest.raises(UnreadableFile, match="USD"):
        load(content, preset="cdnow", create=True)
    assert Batch.objects.latest("id").status == BatchStatus.FAILED
    assert counts(load(content, preset="cdnow", create=True, accept_currency=True)) == (1, 0, 0, 0)
