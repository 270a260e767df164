"""Columns of a customer file that name her card and her union id: found by, refused, shared, taken back."""

import csv
from pathlib import Path

import pytest

from changke.facts.customers.models import Customer, Identifier
from changke.facts.customers.queries import values_of
from changke.facts.customers.services.hide import hide
from changke.facts.customers.services.merge import merge
from changke.facts.duplicates.models import Duplicate
from changke.facts.duplicates.services import find_duplicates
from changke.interfaces.importers import columns, pipeline
from changke.interfaces.importers.batches import before_undo
from changke.interfaces.importers.pipeline import Outcome, SourceFile
from changke.interfaces.importers.undo import undo
from tests.interfaces.importers.conftest import NOW, Load, counts

HEAD = "会员编号,姓名,手机号,会员卡号,unionid,城市\n"


def held(kind: str) -> set[tuple[str, str, bool]]:
    rows = list(Identifier.objects.filter(kind=kind).select_related("customer"))
    values = values_of(rows)
    return {(one.customer.name, values[one.pk], one.shared) for one in rows}


def refusals(outcome: Outcome) -> list[tuple[str, str, str]]:
    """Row, column and the beginning of the reason."""
    with Path(outcome.error_file).open(encoding="utf-8-sig") as stream:
        rows = csv.DictReader(stream)
        return [(row["Error row"], row["Error column"], row["Error reason"].split(".")[0]) for row in rows]


def test_the_columns_are_recognised_beside_the_number() -> None:
    found = columns.recognise(["会员编号", "会员卡号", "UnionID", "姓名"], "customers")
    assert found == {"customer_id": "会员编号", "member_card": "会员卡号", "union_id": "UnionID", "name": "姓名"}
    # A file with one number only calls it as it likes: it is her number.
    assert columns.recognise(["卡号", "姓名"], "customers") == {"customer_id": "卡号", "name": "姓名"}


def test_a_file_brings_cards_and_union_ids_and_later_finds_by_them(load: Load) -> None:
    first = load(HEAD + "K1,张三,13900000001,VIP-001,oU-aaaa,\nK2,李四,13900000002,VIP-002,,\n", "customers")
    assert counts(first) == (2, 0, 0, 0)
    assert held("card") == {("张三", "VIP-001", False), ("李四", "VIP-002", False)}
    assert held("unionid") == {("张三", "oU-aaaa", False)}
    again = load("实体卡号,城市\nVIP-002,北京\n", "customers", mapping={"member_card": "实体卡号", "city": "城市"})
    assert counts(again) == (0, 1, 0, 0)
    by_union = load("unionid,城市\noU-aaaa,上海\noU-bbbb,广州\n", "customers")
    assert counts(by_union) == (1, 1, 0, 0)
    assert set(Customer.objects.values_list("name", "city")) == {("张三", "上海"), ("李四", "北京"), ("", "广州")}


def test_a_row_finds_her_by_what_another_row_of_the_file_introduced(load: Load) -> None:
    text = "会员编号,姓名,会员卡号,城市\n,,VIP-001,北京\nK1,张三,VIP-001,\n"
    assert counts(load(text, "customers")) == (2, 0, 0, 0)
    assert list(Customer.objects.values_list("name", "city")) == [("张三", "北京")]


def test_the_card_of_another_is_refused_with_row_and_column(load: Load) -> None:
    load(HEAD + "K1,张三,13900000001,VIP-001,,\nK2,李四,13900000002,,,\n", "customers")
    # Of a known customer, of one met by phone, and of somebody new: nobody loses her card, and nobody is made.
    text = HEAD + "K2,李四,,VIP-001,,北京\nK3,王五,13900000003,VIP-001,,北京\nK1,张三,,VIP-001,,北京\n"
    loaded = load(text, "customers")
    # Two customers with one card: the file contradicts itself already.
    assert [row for row, _, _ in refusals(loaded)] == ["2", "3", "4"]
    loaded = load(HEAD + "K2,李四,,VIP-001,,北京\nK4,赵六,,VIP-004,,北京\n", "customers")
    assert counts(loaded) == (1, 0, 0, 1)
    assert refusals(loaded) == [("2", "会员卡号", "the card belongs to another customer")]
    loaded = load(HEAD + "K3,王五,13900000003,VIP-001,,北京\n", "customers")
    assert counts(loaded) == (0, 0, 0, 1)
    assert not Customer.objects.filter(name="王五").exists()
    assert held("card") == {("张三", "VIP-001", False), ("赵六", "VIP-004", False)}


def test_one_card_for_two_numbers_is_refused_before_anything_is_written(load: Load) -> None:
    loaded = load(HEAD + "K1,张三,,VIP-001,,\nK2,李四,,VIP-001,,\nK3,王五,,VIP-003,,\n", "customers")
    assert counts(loaded) == (1, 0, 0, 2)
    assert {reason for _, _, reason in refusals(loaded)} == {
        "the file gives this card to customers with different numbers"
    }


def test_the_check_says_so_before_anything_is_written(load: Load, tmp_path: Path) -> None:
    load(HEAD + "K1,张三,13900000001,VIP-001,,\nK2,李四,13900000002,,,\n", "customers")
    path = tmp_path / "next.csv"
    path.write_text(HEAD + "K2,李四,,VIP-001,,\nK1,张三,,VIP-001,,北京\n".replace("K1,张三,,VIP-001", "K1,张三,,"))
    batch = pipeline.start([SourceFile(path, path.name)], kind="customers", language="en", now=NOW)
    analysis = pipeline.analyse(batch.pk, now=NOW)
    assert analysis.refused == 1
    assert [problem.code for problem in analysis.problems] == ["card_taken"]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1.38E+10", "number"),
        ("9" * 81, "80"),
    ],
)
def test_a_card_that_cannot_be_one_refuses_its_row(load: Load, cell: str, reason: str) -> None:
    loaded = load(HEAD + f"K1,张三,,{cell},,\nK2,李四,,VIP-2,,\n", "customers")
    assert counts(loaded) == (1, 0, 0, 1)
    [(row, column, said)] = refusals(loaded)
    assert (row, column) == ("2", "会员卡号")
    assert reason in said


def test_a_union_id_of_another_is_shared_and_the_two_are_proposed(load: Load) -> None:
    load(HEAD + "K1,张三,,,oU-aaaa,\n", "customers")
    loaded = load(HEAD + "K2,张三儿,,,oU-aaaa,\n", "customers")
    assert counts(loaded) == (1, 0, 0, 0)
    assert held("unionid") == {("张三", "oU-aaaa", False), ("张三儿", "oU-aaaa", True)}
    find_duplicates(now=NOW)
    assert list(Duplicate.objects.values_list("rule", flat=True)) == ["account"]


def test_records_of_one_person_hold_their_cards_together(load: Load) -> None:
    load(HEAD + "K1,张三,,VIP-001,,\nK2,张三,,,,\n", "customers")
    one, other = Customer.objects.order_by("pk")
    merge(other.pk, one.pk, now=NOW)
    assert counts(load(HEAD + "K2,张三,,VIP-001,,北京\n", "customers"))[3] == 0
    assert held("card") == {("张三", "VIP-001", False)}


def test_a_card_of_somebody_whom_only_an_undone_batch_knew_is_free(load: Load) -> None:
    load(HEAD + "K1,张三,,VIP-001,,\n", "customers")
    hide([Customer.objects.get().pk])
    assert counts(load(HEAD + "K2,李四,,VIP-001,,\n", "customers")) == (1, 0, 0, 0)
    assert held("card") == {("李四", "VIP-001", False)}


def test_undo_takes_back_what_it_gave_to_customers_known_before(load: Load) -> None:
    load(HEAD + "K1,张三,13900000001,,,\nK2,李四,13900000002,,oU-bbbb,\n", "customers")
    wrong = load(HEAD + "K1,张三,13900000009,VIP-001,oU-bbbb,\nK5,钱七,,VIP-005,,\n", "customers")
    assert held("card") == {("张三", "VIP-001", False), ("钱七", "VIP-005", False)}
    told = before_undo(wrong.batch)
    assert {part.code: part.count for part in told.goes} == {"customers": 1, "names": 2}
    assert {part.code: part.count for part in told.stays} == {"identifiers": 1}  # the phone may have found her since
    undo(wrong.batch, now=NOW)
    assert held("card") == {("钱七", "VIP-005", False)}  # hidden with her, whom the batch made
    assert held("unionid") == {("李四", "oU-bbbb", False)}
    assert counts(load(HEAD + "K2,李四,,VIP-001,,\n", "customers")) == (0, 0, 1, 0)
    assert held("card") >= {("李四", "VIP-001", False)}
    assert counts(load(HEAD + "K5,钱七,,VIP-005,,\n", "customers"))[3] == 0  # and shows her again
    assert Customer.objects.get(name="钱七").is_active


def test_undo_of_whoever_was_found_first_finds_the_other(load: Load) -> None:
    load(HEAD + "K1,张三,,,,\n", "customers")
    first = load(HEAD + "K1,张三,,,oU-aaaa,\n", "customers")
    load(HEAD + "K2,李四,,,oU-aaaa,\n", "customers")
    undo(first.batch, now=NOW)
    assert held("unionid") == {("李四", "oU-aaaa", False)}


def test_leaving_as_they_are_brings_no_card_either(load: Load) -> None:
    load(HEAD + "K1,张三,,,,\n", "customers")
    assert counts(load(HEAD + "K1,张三,,VIP-001,oU-1234,\n", "customers", decisions={"": "skip"})) == (0, 0, 1, 0)
    assert held("card") == held("unionid") == set()


def test_a_killed_load_runs_again_without_refusing_its_own_cards(load: Load) -> None:
    text = HEAD + "K1,张三,,VIP-001,,\n,,13900000007,VIP-007,,\n"
    first = load(text, "customers")
    outcome = pipeline.run(first.batch, now=NOW)
    assert (outcome.created, outcome.refused) == (2, 0)
