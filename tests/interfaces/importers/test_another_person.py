"""The row has a known customer's phone and another name: a person of her own, by choice, and found again."""

from typing import Any

import pytest
from django.core.management import call_command

from changke.facts.customers.models import Customer, Identifier
from changke.facts.customers.queries import by_phone
from changke.facts.customers.services import intake
from changke.facts.duplicates.models import Duplicate
from changke.facts.duplicates.services import find_duplicates
from changke.facts.purchases.models import Receipt
from changke.interfaces.importers import persons, pipeline
from changke.interfaces.importers.undo import undo
from tests.interfaces.importers.conftest import NOW, Load, counts

PHONE = "13900000001"
MOTHER = f"姓名,手机号,城市\n莹莹,{PHONE},上海\n"
DAUGHTER = f"姓名,手机号,城市\n小莹,{PHONE},北京\n"
APART: dict[str, Any] = {"decisions": {"phone_other_name": "another"}}


def people() -> list[tuple[str, str]]:
    return list(Customer.objects.filter(is_active=True).order_by("pk").values_list("name", "city"))


def sharing() -> list[tuple[str, bool]]:
    rows = Identifier.objects.filter(kind="phone").order_by("shared", "pk")
    return list(rows.values_list("customer__name", "shared"))


@pytest.fixture
def mother(load: Load) -> Customer:
    load(MOTHER, "customers")
    return Customer.objects.get()


def test_she_is_written_down_beside_her_mother_and_both_have_the_phone(load: Load, mother: Customer) -> None:
    assert counts(load(DAUGHTER, "customers", **APART)) == (1, 0, 0, 0)
    assert people() == [("莹莹", "上海"), ("小莹", "北京")]
    assert sharing() == [("莹莹", False), ("小莹", True)]
    assert by_phone(PHONE) == mother
    find_duplicates(now=NOW)
    assert list(Duplicate.objects.values_list("rule", flat=True)) == ["phone"]


@pytest.mark.parametrize("again", [APART, {}, {"decisions": {"": "update"}}])
def test_the_same_file_again_finds_her_and_nobody_else(load: Load, mother: Customer, again: dict[str, Any]) -> None:
    load(DAUGHTER, "customers", **APART)
    assert counts(load(DAUGHTER, "customers", **again)) == (0, 0, 1, 0)
    assert counts(load(DAUGHTER.replace("北京", "广州"), "customers", **again)) == (0, 1, 0, 0)
    assert people() == [("莹莹", "上海"), ("小莹", "广州")]
    assert counts(load(MOTHER.replace("上海", "苏州"), "customers", **again)) == (0, 1, 0, 0)
    assert people() == [("莹莹", "苏州"), ("小莹", "广州")]


def test_without_the_choice_the_row_is_the_mothers_as_before(load: Load, mother: Customer) -> None:
    assert counts(load(DAUGHTER, "customers")) == (0, 1, 0, 0)
    assert people() == [("小莹", "北京")]


def test_a_row_without_a_name_is_of_whom_the_phone_finds(load: Load, mother: Customer) -> None:
    load(DAUGHTER, "customers", **APART)
    assert counts(load(f"手机号,城市\n{PHONE},杭州\n", "customers", **APART)) == (0, 1, 0, 0)
    assert people() == [("莹莹", "杭州"), ("小莹", "北京")]


@pytest.mark.parametrize("chunk", [2_000, 1])
def test_a_family_of_one_file_is_several_persons(load: Load, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """In one chunk, and where the daughter comes after her mother is in."""
    monkeypatch.setattr(persons, "CHUNK", chunk)
    text = MOTHER + f"小莹,{PHONE},北京\n,{PHONE},\n三丫,{PHONE},广州\n"
    loaded = load(text, "customers", **APART)
    assert loaded.refused == 0
    assert sorted(people()) == sorted([("莹莹", "上海"), ("小莹", "北京"), ("三丫", "广州")])
    assert sorted(shared for _, shared in sharing()) == [False, True, True]
    again = pipeline.run(loaded.batch, now=NOW)  # killed at its end, it runs again
    assert again.refused == 0
    assert len(people()) == 3


def test_of_a_sale_the_phone_alone_says_whose_it_is(load: Load, mother: Customer) -> None:
    load(DAUGHTER, "customers", **APART)
    load(f"单号,日期,姓名,手机号,金额\nA,2026-03-01,小莹,{PHONE},100\n")
    daughter = Customer.objects.get(name="小莹")
    assert (receipts(mother), receipts(daughter)) == (1, 0)


def receipts(customer: Customer) -> int:
    return Receipt.objects.filter(customer=customer).count()


def test_undo_hides_her_and_loading_again_shows_her(load: Load, mother: Customer) -> None:
    first = load(DAUGHTER, "customers", **APART)
    undo(first.batch, now=NOW)
    assert people() == [("莹莹", "上海")]
    assert counts(load(DAUGHTER, "customers", **APART))[3] == 0
    assert people() == [("莹莹", "上海"), ("小莹", "北京")]
    assert Customer.objects.count() == 2


def test_a_new_number_is_she_where_her_name_shares_the_phone(load: Load) -> None:
    load(f"会员编号,姓名,手机号\nK1,莹莹,{PHONE}\n", "customers")
    load(DAUGHTER, "customers", **APART)
    assert counts(load(f"会员编号,姓名,手机号,城市\nK2,小莹,{PHONE},深圳\n", "customers")) == (0, 1, 0, 0)
    assert Customer.objects.get(name="小莹").identifiers.filter(kind="external").get().value == "K2"
    # Another with a number of her own is not meant by the name alone.
    assert counts(load(f"会员编号,姓名,手机号\nK3,小莹,{PHONE}\n", "customers")) == (1, 0, 0, 0)


def test_other_ways_of_meeting_know_no_such_choice(load: Load, mother: Customer) -> None:
    loaded = load(MOTHER.replace("上海", "苏州"), "customers", decisions={"": "skip", "phone_other_name": "another"})
    assert counts(loaded) == (0, 0, 1, 0)
    assert "another" not in intake.GROUPS


def test_the_command_says_it_too(load: Load, mother: Customer, tmp_path: Any) -> None:
    path = tmp_path / "daughter.csv"
    path.write_text(DAUGHTER)
    call_command("load", str(path), "--as", "customers", "--store", "JA", "--other-name", "another", verbosity=0)
    assert people() == [("莹莹", "上海"), ("小莹", "北京")]
