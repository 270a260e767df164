"""The catalogue by a sheet: read in Chinese and English, each bad row named, the rest in, nothing twice."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from changke.facts.catalog.models import Category, Item
from changke.facts.catalog.services import keep
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import HOUSE
from changke.foundation.errors import DomainError
from changke.interfaces.catalogue.planning import Plan, plan_of
from changke.interfaces.catalogue.sheet import read
from changke.interfaces.catalogue.work import carry_out, would
from changke.interfaces.importers.problems import UnreadableFile
from tests.cast import NOW, Cast
from tests.examples import few

pytestmark = pytest.mark.django_db
CHINESE = """花漾 价目表,,,,,,,,
编号,名称,类型,分类,价格（元）,成本,周期,毛利率,备注
F1,深层补水,服务,面部护理,298,60,28天,,
N1,肩颈舒缓,项目,身体护理,"¥1,198.50",,21,62.5%,新
N2,玫瑰精油,产品,家居,99,30,,,
"""
ENGLISH = "code,name,kind,category,price,cost,cycle,margin\nF1,深层补水,service,面部护理,298,60,28,60\n"


@pytest.fixture(autouse=True)
def english(settings: Any, tmp_path: Path) -> Any:
    settings.DATA_DIR = tmp_path / "data"
    with translation.override("en"):
        yield


def planned(tmp_path: Path, text: str, name: str = "items.csv") -> Plan:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return plan_of(path, name, currency="CNY")


def taken_in(tmp_path: Path, text: str) -> tuple[int, int, int, int]:
    """created, changed, same, refused"""
    done = carry_out(planned(tmp_path, text), by=HOUSE, now=NOW)
    return done.created, done.changed, done.same, len(done.bad)


def test_a_chinese_sheet_adds_and_changes(cast: Cast, tmp_path: Path) -> None:
    plan = planned(tmp_path, CHINESE)
    assert (plan.created, plan.changed, plan.same, plan.bad, list(plan.unread)) == (2, 1, 0, [], ["备注"])
    assert not Item.objects.filter(code="N1").exists(), "a plan writes nothing"
    done = carry_out(plan, by=HOUSE, now=NOW)
    assert (done.created, done.changed, done.categories_created, done.bad) == (2, 1, 2, [])
    new = Item.objects.select_related("category").get(code="N1")
    assert (new.name, new.kind, new.price_minor, new.unit_cost_minor, new.usual_cycle_days) == (
        "肩颈舒缓", "service", 119_850, None, 21,
    )  # fmt: skip
    assert new.category is not None
    assert (new.category.name, new.category.margin_basis_points) == ("身体护理", 6_250)
    facial = Item.objects.get(code="F1")
    assert (facial.price_minor, facial.unit_cost_minor) == (29_800, 6_000)
    assert AuditLine.objects.filter(action__in=("item.added", "item.changed", "category.added")).count() == 5
    assert taken_in(tmp_path, CHINESE) == (0, 0, 3, 0), "the same sheet again changes nothing"
    assert taken_in(tmp_path, ENGLISH) == (0, 0, 1, 0)


def test_a_workbook_of_several_sheets(cast: Cast, tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "服务"  # type: ignore[union-attr]
    book.active.append(["价目表", "2026"])  # type: ignore[union-attr]
    book.active.append(["编号", "名称", "类型", "毛利率", "分类"])  # type: ignore[union-attr]
    book.active.append(["S1", "艾灸", "服务", 0.6, "身体"])  # type: ignore[union-attr]
    other = book.create_sheet("产品")
    other.append(["品名", "售价", "是否启用"])
    other.append(["面膜", 39.9, "否"])
    book.create_sheet("说明").append(["请勿修改"])
    path = tmp_path / "items.xlsx"
    book.save(path)
    plan = plan_of(path, path.name, currency="CNY")
    assert (plan.created, plan.bad) == (2, [])
    carry_out(plan, by=HOUSE, now=NOW)
    assert Category.objects.get(name="身体").margin_basis_points == 6_000
    mask = Item.objects.get(name="面膜")
    assert (mask.code, mask.price_minor, mask.is_active) == ("面膜", 3_990, False)


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("X1,名,发型,,1,,,", "kind", "Write one of: Service"),
        ("X1,名,,,-1,,,", "price", "must lie between 0"),
        ("X1,名,,,便宜,,,", "price", "not a number"),
        ("X1,名,,,1e9999999,,,", "price", "absurdly large"),
        ("X1,名,,,=1+1,,,", "price", "formula"),
        ("X1,名,,,,99999999999,,", "cost", "absurdly large"),
        ("X1,名,,,,,0,", "cycle", "between 1 and 3650"),
        ("X1,名,,,,,1.5,", "cycle", "between 1 and 3650"),
        ("X1,名,,,,,1e300,", "cycle", "between 1 and 3650"),
        ("X1,名,,身体,,,,101", "margin", "between 0 and 100"),
        ("X1,名,,身体,,,,1", "margin", "write 1% or 100%"),
        ("X1,名,,,,,,60", "margin", "name the category"),
        (f"{'x' * 81},名,,,,,,", "code", "longer than 80"),
        ("1.38E+10,名,,,,,,", "code", ""),
        (",,service,,,,,", "", "names no item"),
        ("X1,,service,,,,,", "", "nobody knows this code"),
        ("F1,深层补水,,面部护理,,,,61", "", "another margin"),
        ("F1,别名,card,,,,,", "", "same item as row 2"),
        (",双生,,,,,,", "", "several items are called that"),
    ],
)
def test_a_bad_row_is_named_and_the_others_go_in(cast: Cast, tmp_path: Path, row: str, column: str, words: str) -> None:
    for code in ("T1", "T2"):
        keep.add_item(code=code, name="双生", now=NOW)
    plan = planned(tmp_path, f"{ENGLISH}{row}\nN9,好的,product,,5,,,\n")
    (bad,) = plan.bad
    assert (bad.line, bad.column) == (3, column)
    assert words in bad.reason
    assert carry_out(plan, by=HOUSE, now=NOW).created == 1
    assert Item.objects.get(code="N9").price_minor == 500


def test_an_empty_cell_says_nothing(cast: Cast, tmp_path: Path) -> None:
    assert taken_in(tmp_path, "编号,名称,类型,分类,价格\nF1,,,,\n,补水十次卡,卡,,1980\n") == (0, 0, 2, 0)
    facial = Item.objects.select_related("category").get(code="F1")
    assert (facial.price_minor, facial.category) == (28_800, cast.facial.category)


def test_what_an_import_wrote_with_double_spaces_is_found_again(cast: Cast, tmp_path: Path) -> None:
    Item.objects.create(code="肩颈  A", name="肩颈  A")
    assert taken_in(tmp_path, "名称,类型\n肩颈  A,服务\n") == (0, 1, 0, 0)
    assert taken_in(tmp_path, "编号,名称,类型\n肩颈  A,肩颈 A,产品\n") == (0, 1, 0, 0)
    assert Item.objects.filter(code="肩颈  A", name="肩颈  A", kind="product").count() == 1


def test_what_somebody_did_meanwhile_costs_its_row_only(cast: Cast, tmp_path: Path) -> None:
    plan = planned(tmp_path, CHINESE)
    keep.add_item(code="N1", name="别的", now=NOW)
    keep.add_category(name="家居", now=NOW)
    done = carry_out(plan, by=HOUSE, now=NOW)
    assert (done.created, done.changed) == (1, 1)
    assert [(one.line, one.value) for one in done.bad] == [(5, "家居"), (4, "N1")]
    assert Item.objects.get(code="N2").category == Category.objects.get(name="家居")


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        ("", "empty"), ("数量,颜色\n1,红\n", "No row of this sheet"), ("名称\n面膜\n", "No row of this sheet"),
        ("<html><table>", "web page"), ("code,kind\n" + "X,card\n" * 21, "at most 20 rows"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_as_a_whole(cast: Cast, tmp_path: Path, content: str, refusal: str) -> None:
    path = tmp_path / "items.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises((DomainError, UnreadableFile), match=refusal):
        read(path, "items.csv", currency="CNY", most=20)


CELL = st.text(st.characters(codec="utf-8", exclude_characters=',"\r\n\0'), max_size=12) | st.sampled_from(
    ["1e9999999", "-1e-9999999", "NaN", "Infinity", "１２", "%", "0.6", "1%", "100%", "=1+1", "-", "28天", "卡", "是"]
)


@settings(max_examples=few(20), deadline=None)
@given(
    cells=st.lists(
        st.lists(CELL, min_size=9, max_size=9), min_size=1, max_size=5
    )
)  # fmt: skip
def test_whatever_stands_in_a_sheet_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("sheets") / "items.csv"
    head = "code,name,kind,category,price,cost,cycle,margin,active\n"
    path.write_text(head + "".join(",".join(row) + "\n" for row in cells), encoding="utf-8")
    found = read(path, "items.csv", currency="CNY")
    assert len(found.rows) + len(found.bad) <= len(cells)
    assert all(one.reason for one in found.bad)


def command(*words: str) -> tuple[dict[str, Any], str]:
    said, told = StringIO(), StringIO()
    call_command("items", *words, "--json", stdout=said, stderr=told)
    return json.loads(said.getvalue().splitlines()[-1]), told.getvalue()


def test_the_command_lists_and_loads(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    path = tmp_path / "items.csv"
    path.write_text(CHINESE + "N3,坏的,服务,,便宜,,,,\n", encoding="utf-8")
    told, said = command("--load", str(path), "--dry-run")
    assert (told["created"], told["changed"], told["dry_run"], len(told["bad"])) == (2, 1, True, 1)
    assert "row 6 价格（元） “便宜”: not a number" in said
    assert not Item.objects.filter(code="N1").exists()
    told, said = command("--load", str(path))
    assert (told["created"], told["categories_created"]) == (2, 2)
    assert "2 added, 1 changed" in said
    assert AuditLine.objects.filter(actor_name="changke items").count() == 5
    told, said = command("--kind", "product")
    assert [one["code"] for one in told["items"]] == ["N2"]
    told, _ = command("--attention", "--find", "N")
    assert (told["items"], told["total"], told["in_need"]) == ([], 4, 0)
    with pytest.raises(CommandError, match="no file"):
        command("--load", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="--load"):
        command("--dry-run")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(CommandError, match="empty"):
        command("--load", str(tmp_path / "empty.csv"))


def test_the_page_looks_through_a_sheet_before_it_takes_it_in(cast: Cast) -> None:
    office = Client(headers={"Accept-Language": "en"})
    office.force_login(cast.hq)
    file = SimpleUploadedFile("价目表.csv", CHINESE.encode("gb18030"))
    looked = office.post("/settings/items/sheet/", {"file": file})
    assert (looked.status_code, looked.context["done"].created) == (200, 2)
    assert not Item.objects.filter(code="N1").exists()
    sent = {"kept": looked.context["kept"], "name": looked.context["name"]}
    done = office.post("/settings/items/sheet/", sent)
    assert (done.status_code, done.context["done"].created, done.context["done"].changed) == (200, 2, 1)
    assert Item.objects.get(code="N1").price_minor == 119_850
    assert AuditLine.objects.filter(action="item.added", actor_id=cast.hq.pk).count() == 2
    assert office.post("/settings/items/sheet/", sent).status_code == 422, "it is no longer there"
    for wrong in ({"kept": "../../secrets"}, {}, {"file": SimpleUploadedFile("x.csv", b"a,b\n1,2\n")}):
        assert office.post("/settings/items/sheet/", wrong).status_code == 422


@pytest.mark.parametrize("language", ["zh-hans", "en", "zh-hant"])
def test_what_is_taken_out_is_read_back_as_it_was(cast: Cast, tmp_path: Path, language: str) -> None:
    keep.add_item(code="=1+1", name="-减", kind="topup", is_active=False, usual_cycle_days=7, now=NOW)
    cast.hq.language = language
    cast.hq.save()
    office = Client()
    office.force_login(cast.hq)
    answer = office.get("/settings/items/file/")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    plan = planned(tmp_path, text)
    assert (plan.created, plan.changed, plan.same, plan.bad, plan.categories) == (0, 0, 3, [], [])
    assert would(plan).unread == []
