"""What a new item is: said by the file, by somebody who knows it, or by nobody; the table of algorithms/import.md."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from changke.facts.catalog.models import Item
from changke.facts.purchases.models import Receipt
from changke.foundation.batches.models import Batch
from changke.interfaces.importers import pipeline
from changke.interfaces.importers.clean import kind_by_name
from changke.interfaces.importers.known import Unknown
from tests.interfaces.importers.conftest import NOW, Load, counts

HEAD = "单号,日期,手机,类型,项目,项目类型,金额\n"
PLAIN = "单号,日期,手机,类型,项目,金额\n"


def money() -> tuple[int, int]:
    """What came in and what was rendered, in yuan."""
    receipts = Receipt.objects.all()
    return sum(one.cash_minor for one in receipts) // 100, sum(one.consumed_minor for one in receipts) // 100


@pytest.mark.parametrize(
    ("rows", "kind", "cash", "consumed"),
    [
        (["办卡,,1980"], "card", 1980, 0),
        (["充值,,1000"], "topup", 1000, 0),
        (["办卡,,1980", "耗卡,,198"], "card", 1980, 198),
        (["办卡,,1980", "消费,,100"], "other", 2080, 100),
        (["消费,卡项,100"], "card", 100, 0),
        (["办卡,产品,500"], "product", 500, 500),
        (["消费,,100"], "other", 100, 100),
        (["次卡,,100"], "other", 100, 100),
        (["开卡（线下）,其他,100"], "card", 100, 0),
    ],
)
@pytest.mark.parametrize("create", [True, False])
def test_no_yuan_is_consumed_twice(
    load: Load, rows: list[str], kind: str, cash: int, consumed: int, create: bool
) -> None:
    """The same money whether the item is created or left as words on the line, and again when loaded again."""
    lines = [row.split(",") for row in rows]
    content = HEAD + "".join(
        f"{number},2026-01-03,13800000001,{type_},年度通,{said},{amount}\n"
        for number, (type_, said, amount) in enumerate(lines, 1)
    )
    assert counts(load(content, create=create)) == (len(rows), 0, 0, 0)
    assert money() == (cash, consumed)
    assert list(Item.objects.values_list("kind", flat=True)) == ([kind] if create else [])
    assert counts(load(content, create=True)) == (0, 0, len(rows), 0)
    assert money() == (cash, consumed)


def test_a_file_without_a_column_of_types_says_nothing(load: Load) -> None:
    load("单号,日期,项目,金额\n1,2026-01-03,年度通,100\n", create=True)
    assert (Item.objects.get().kind, money()) == ("other", (100, 100))


def test_somebody_who_knows_the_item_is_believed(load: Load) -> None:
    content = PLAIN + "1,2026-01-03,13800000001,消费,年度通,100\n2,2026-01-03,13800000001,办卡,体验,50\n"
    load(content, create=True, kinds={"年度通 ": "card", "体验": "service"})
    assert dict(Item.objects.values_list("name", "kind")) == {"年度通": "card", "体验": "service"}
    assert money() == (150, 50)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("补水十次卡", "card"),
        ("季卡（2025）", "card"),
        ("充值", "topup"),
        ("卡尺", ""),
        ("补水", ""),
        ("Gift Card", "card"),
    ],
)
def test_a_name_is_only_a_proposal(name: str, kind: str) -> None:
    assert kind_by_name(name) == kind


def test_the_command_says_it_too(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(PLAIN + "1,2026-01-03,13800000001,消费,a=b 年度通,100\n")
    words = ["load", str(file), "--as", "purchases", "--store", "JA", "--create", "--item"]
    with pytest.raises(CommandError, match="NAME=KIND"):
        call_command(*words, "年度通=voucher")
    call_command(*words, "a=b 年度通=card", stdout=io.StringIO(), stderr=io.StringIO())
    assert (Item.objects.get().kind, money()) == ("card", (100, 0))


def test_the_check_says_what_the_file_says_of_each_new_item(load: Load) -> None:
    load(PLAIN + "1,2026-01-03,13800000001,办卡,年度通,100\n2,2026-01-03,13800000001,消费,补水,50\n")
    assert sorted(pipeline.analyse(Batch.objects.latest("id").pk, now=NOW).unknown, key=lambda one: one.kind) == [
        Unknown("item", "补水", 1), Unknown("item", "年度通", 1, "card"),
    ]  # fmt: skip
