"""Old systems whose exports we know, each with an invented sample: what its rows become."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from changke.facts.customers.models import Customer, Identifier, Kept, Note, Tag
from changke.facts.customers.queries import values_of
from changke.facts.events.models import Event
from changke.facts.purchases.models import Receipt
from changke.facts.visits.models import Visit
from changke.foundation.batches.models import Batch
from changke.interfaces.importers import pipeline
from changke.interfaces.importers.pipeline import Outcome
from changke.interfaces.importers.sources import understood
from changke.interfaces.importers.undo import undo
from tests.interfaces.importers.conftest import NOW, Load, counts

SAMPLES = Path(__file__).parent / "samples"
WUKONG = ["customers.csv", "leads.csv", "contacts.csv", "follow-ups.csv"]


def sample(source: str, *names: str) -> list[Path]:
    return [SAMPLES / source / name for name in names]


def refusals(outcome: Outcome) -> list[str]:
    with Path(outcome.error_file).open(encoding="utf-8-sig") as stream:
        return [row["Error reason"] for row in csv.DictReader(stream)]


def person(name: str) -> Customer:
    return Customer.objects.get(name=name, is_active=True)


def identifiers(name: str) -> set[tuple[str, str]]:
    hers = list(Identifier.objects.filter(customer=person(name)))
    values = values_of(hers)
    return {(one.kind, values[one.pk]) for one in hers}


def receipts() -> list[tuple[str, str, int, str]]:
    rows = Receipt.objects.filter(withdrawn_by=None).order_by("number", "kind")
    return [(one.number, one.kind, one.cash_minor, str(one.business_date)) for one in rows]


def test_the_four_exports_of_wukong_go_in_as_one_batch(load: Load) -> None:
    outcome = load(sample("wukong", *WUKONG), "", create=True)
    assert counts(outcome) == (10, 0, 0, 0)
    assert Batch.objects.get(pk=outcome.batch).kind == "mixed"
    jia_yi = person("沈嘉怡")
    assert jia_yi.adviser is not None
    assert (jia_yi.adviser.name, jia_yi.source, jia_yi.city) == ("苏晴", "大众点评", "上海市静安区 南京西路1号")
    assert Tag.objects.filter(customer=person("周敏")).get().name == "线索"
    # The mother's phone finds the daughter's record from now on; who she is, is a note.
    assert ("phone", "+8613911000011") in identifiers("沈嘉怡")
    texts = list(Note.objects.filter(customer=jia_yi).order_by("written_at").values_list("text", flat=True))
    assert texts == [
        "联系人：沈母 · 母亲 · 代为预约",
        "【电话】想了解春季护理套餐（下次联系：2026-03-06 10:00:00）",
    ]
    written = Event.objects.filter(kind="note.written", customer=jia_yi)
    assert {event.data["note"] for event in written} == set(jia_yi.notes.values_list("pk", flat=True))


def test_wukong_again_changes_nothing_and_an_undo_takes_notes_and_events_away(load: Load) -> None:
    first = load(sample("wukong", *WUKONG), "", create=True)
    assert counts(load(sample("wukong", *WUKONG), "", create=True)) == (0, 0, 10, 0)
    undo(first.batch, now=NOW)
    assert not Note.objects.exists()
    assert not Event.objects.filter(kind="note.written", withdrawn_by=None).exists()
    assert not Customer.objects.filter(is_active=True).exists()


def test_exports_of_wukong_may_come_one_by_one_in_any_order(load: Load) -> None:
    for name in reversed(WUKONG):
        load(sample("wukong", name), "", create=True)
    assert Customer.objects.filter(is_active=True).count() == 5
    assert person("沈嘉怡").source == "大众点评"
    assert Note.objects.count() == 5


def test_two_persons_of_one_name_are_not_made_one(load: Load) -> None:
    text = "客户名称,客户来源,手机,负责人\n王芳,路过,13911000021,\n王芳,路过,13911000022,\n李静,路过,13911000023,\n"
    outcome = load(text, "", create=True)
    assert counts(outcome) == (1, 0, 0, 2)
    assert refusals(outcome)[0].startswith("the same customer name stands with different phones")


def test_a_shopify_order_is_its_total_in_the_stores_time_and_a_refund_is_a_return(load: Load) -> None:
    outcome = load(sample("shopify", "orders_export.csv"), "", create=True)
    assert receipts() == [
        ("#1001", "sale", 24200, "2026-01-16"),  # 23:30 in New York is the next day in Shanghai
        ("#1002", "return", 10000, "2026-01-20"),
        ("#1002", "sale", 30000, "2026-01-20"),
    ]
    order = Receipt.objects.get(number="#1001")
    lines = list(order.lines.order_by("position").values_list("description", "amount_minor"))
    assert lines == [("玫瑰面膜", 16000), ("洁面乳", 10000), ("运费、税费与优惠", -1800)]
    assert identifiers("林美") == {("phone", "+8613922000001"), ("email", "mei.lin@example.cn")}
    assert [reason.split(".")[0] for reason in refusals(outcome)] == [
        "the order was never paid, so nothing was bought",
        "the order is in another currency than the chain's",
    ]
    assert counts(load(sample("shopify", "orders_export.csv"), "", create=True))[:3] == (0, 0, outcome.created)


def test_a_refund_that_came_later_is_taken_in_with_the_next_export(load: Load, write: Callable[..., Path]) -> None:
    text = (SAMPLES / "shopify" / "orders_export.csv").read_text(encoding="utf-8")
    before = text.replace("partially_refunded", "paid").replace("WeChat Pay,100.00", "WeChat Pay,0.00")
    load([write(before, "january.csv")], "", create=True)
    assert len(receipts()) == 2
    load([write(text, "february.csv")], "", create=True)
    assert len(receipts()) == 3


def test_a_youzan_order_is_what_was_paid_and_its_refund_has_its_day(load: Load) -> None:
    outcome = load(sample("youzan", "orders.csv"), "", create=True)
    assert receipts() == [
        ("E20260110001", "sale", 26000, "2026-01-10"),
        ("E20260111002", "return", 12800, "2026-01-13"),
        ("E20260111002", "sale", 12800, "2026-01-11"),
    ]
    assert refusals(outcome)[0].startswith("the order was never paid")


@pytest.fixture
def salon(tmp_path: Path) -> Callable[..., Path]:
    """The workbook of a salon's till: a title, then members, cards and visits on sheets of their own."""

    def make(left: int = 6) -> Path:
        path = tmp_path / "salon.xlsx"
        with xlsxwriter.Workbook(path) as book:
            for title, rows in {
                "会员资料": [
                    ["花漾美容 会员资料导出"],
                    ["会员号", "姓名", "性别", "手机号", "生日", "会员等级", "专属美容师", "所属门店", "建档日期"],
                    ["M001", "顾清", "女", "13933000001", "1990-05-01", "金卡", "苏晴", "静安店", "2024-03-01"],
                    ["M002", "白露", "女", "13933000002", "", "银卡", "苏晴", "徐汇店", "2025-01-15"],
                ],
                "卡项余次": [
                    ["会员号", "姓名", "卡项名称", "总次数", "剩余次数", "剩余金额", "购卡日期", "到期日期"],
                    ["M001", "顾清", "深层补水10次卡", 10, left, "1200.50", "2025-11-01", "2026-11-01"],
                    ["M002", "白露", "艾灸5次卡", 5, 9, "", "2025-12-01", ""],
                    ["M003", "何人", "肩颈20次卡", 20, 20, "3000", "2026-01-02", "2027-01-02"],
                ],
                "到店记录": [
                    ["会员号", "姓名", "到店时间", "门店", "服务项目", "美容师"],
                    ["M001", "顾清", "2026-02-01 14:00", "静安店", "深层补水", "苏晴"],
                ],
            }.items():
                sheet = book.add_worksheet(title)
                for number, row in enumerate(rows):
                    sheet.write_row(number, 0, row)
        return path

    return make


def test_the_sheets_of_a_salon_go_in_together_and_cards_wait_in_their_batch(
    load: Load, salon: Callable[..., Path]
) -> None:
    batch = pipeline.start([pipeline.SourceFile(salon(), "salon.xlsx")], create=True, language="en", now=NOW)
    outcome = pipeline.run(batch.pk, now=NOW)
    assert (outcome.total, outcome.created, outcome.kept, outcome.refused) == (6, 3, 2, 1)
    assert refusals(outcome) == ["more sessions are left than the card had. Check both."]
    card = Kept.objects.get(customer=person("顾清"))
    assert card.data == {
        "card": "深层补水10次卡", "sessions": 10, "remaining": 6, "value_minor": 120050, "bought_on": "2025-11-01",
        "expires_on": "2026-11-01",
    }  # fmt: skip
    assert Visit.objects.get().customer == person("顾清")
    assert person("顾清").birth_year == 1990
    assert person("何人")  # only her card is known


def test_a_card_again_is_known_another_figure_is_refused_and_an_undo_lets_it_go(
    load: Load, salon: Callable[..., Path]
) -> None:
    def again(left: int) -> Outcome:
        batch = pipeline.start([pipeline.SourceFile(salon(left), "salon.xlsx")], create=True, language="en", now=NOW)
        return pipeline.run(batch.pk, now=NOW)

    first = again(6)
    second = again(6)
    assert (second.kept, second.skipped, second.refused) == (0, 5, 1)
    assert "kept already with other contents" in " ".join(refusals(again(5)))
    undo(first.batch, now=NOW)
    assert not Kept.objects.exists()
    assert again(5).kept == 2


def test_the_error_file_of_a_source_comes_back_mended(load: Load, salon: Callable[..., Path], tmp_path: Path) -> None:
    batch = pipeline.start([pipeline.SourceFile(salon(), "salon.xlsx")], create=True, language="en", now=NOW)
    outcome = pipeline.run(batch.pk, now=NOW)
    text = Path(outcome.error_file).read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    place = rows[0].index("剩余次数")
    rows[1][place] = "4"
    mended = tmp_path / "mended.csv"
    with mended.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    again = pipeline.start([pipeline.SourceFile(mended, mended.name)], create=True, language="en", now=NOW)
    assert pipeline.run(again.pk, now=NOW).kept == 1
    assert Kept.objects.get(customer=person("白露")).data["remaining"] == 4


def test_who_says_what_the_rows_are_is_believed() -> None:
    names = ["会员号", "姓名", "卡项名称", "剩余次数"]
    assert understood(names) is not None
    assert understood(names, kind="customers") is None
    assert understood(names, kind="customers", only="meiye") is not None
    assert understood(names, only="shopify") is None
