"""Rows of customers known before: update, fill in, skip or refuse, per batch and per way of meeting them."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from changke.facts.customers.models import Customer, Identifier, Tag
from changke.interfaces.importers import pipeline
from changke.interfaces.importers.pipeline import Outcome, SourceFile
from changke.interfaces.importers.undo import undo
from tests.interfaces.importers.conftest import NOW, Load, counts

HEAD = "会员号,姓名,手机号,城市,职业,标签\n"
KNOWN = HEAD + "K1,张三,13900000001,上海,,\nK2,李四,13900000002,,教师,\n"
CHANGED = HEAD + "K1,张三,,北京,律师,新\nK2,李四,,北京,律师,新\nK3,王五,,北京,律师,新\n"


def held() -> list[tuple[str, str, str]]:
    people = Customer.objects.filter(is_active=True).order_by("name")
    return sorted((one.name, one.city, one.occupation) for one in people)


def reasons(outcome: Outcome) -> list[str]:
    with Path(outcome.error_file).open(encoding="utf-8-sig") as stream:
        return [row["Error reason"].split(".")[0].split(",")[0] for row in csv.DictReader(stream)]


@pytest.mark.parametrize(
    ("decision", "outcome", "people", "tagged"),
    [
        ("update", (1, 2, 0, 0), [("张三", "北京", "律师"), ("李四", "北京", "律师"), ("王五", "北京", "律师")], 3),
        ("merge", (1, 2, 0, 0), [("张三", "上海", "律师"), ("李四", "北京", "教师"), ("王五", "北京", "律师")], 3),
        ("skip", (1, 0, 2, 0), [("张三", "上海", ""), ("李四", "", "教师"), ("王五", "北京", "律师")], 1),
        ("refuse", (1, 0, 0, 2), [("张三", "上海", ""), ("李四", "", "教师"), ("王五", "北京", "律师")], 1),
    ],
)
def test_rows_of_known_customers_do_as_was_decided(
    load: Load,
    decision: str,
    outcome: tuple[int, int, int, int],
    people: list[tuple[str, str, str]],
    tagged: int,
) -> None:
    load(KNOWN, "customers")
    loaded = load(CHANGED, "customers", decisions={"": decision})
    assert counts(loaded) == outcome
    assert held() == sorted(people)
    assert Tag.objects.filter(name="新").count() == tagged
    assert len(reasons(loaded)) == outcome[3] if loaded.error_file else not outcome[3]
    undo(loaded.batch, now=NOW)
    assert held() == sorted([("张三", "上海", ""), ("李四", "", "教师")])


def test_one_way_of_meeting_may_be_decided_otherwise(load: Load) -> None:
    load(KNOWN, "customers")
    text = "姓名,手机号,城市\n张三,13900000001,北京\n张小三,13900000001,北京\n李小四,13900000002,北京\n"
    loaded = load(text.replace("张三,13900000001,北京\n", ""), "customers", decisions={"phone_other_name": "refuse"})
    assert counts(loaded) == (0, 0, 0, 2)
    assert set(reasons(loaded)) == {"the phone belongs to a customer of another name"}
    assert counts(load("姓名,手机号,城市\n张三,13900000001,北京\n", "customers")) == (0, 1, 0, 0)


def test_a_number_of_one_and_a_phone_of_another_is_named_as_a_conflict(load: Load) -> None:
    load(KNOWN, "customers")
    text = HEAD + "K1,张三,13900000002,广州,,\n"
    refused = load(text, "customers", decisions={"conflict": "refuse"})
    assert reasons(refused) == ["the number belongs to one customer"]
    assert Identifier.objects.filter(kind="phone").count() == 2
    assert counts(load(text, "customers")) == (0, 1, 0, 0)  # else the phone goes on finding the other, and is hers too
    assert ("张三", "广州", "") in held()
    shared = Identifier.objects.get(kind="phone", shared=True)
    assert (shared.customer.name, Identifier.objects.filter(kind="phone").count()) == ("张三", 3)
    assert counts(load("姓名,手机号,城市\n李四,13900000002,深圳\n", "customers")) == (0, 1, 0, 0)
    assert ("李四", "深圳", "教师") in held()
    again = load(text, "customers", decisions={"conflict": "refuse"})
    assert counts(again) == (0, 0, 1, 0)  # known to be shared by now
    assert Identifier.objects.filter(kind="phone").count() == 3


def test_two_numbers_with_one_phone_are_two_persons_who_both_have_it(load: Load) -> None:
    load(HEAD + "K1,张三,13900000001,,,\nK2,小三,13900000001,,,\nK3,三丫,13900000001,,,\n", "customers")
    phones = Identifier.objects.filter(kind="phone").order_by("customer")
    assert [(one.customer.name, one.shared) for one in phones] == [("张三", False), ("小三", True), ("三丫", True)]
    assert phones[0].blind == phones[1].blind == phones[2].blind


def test_whom_an_undone_batch_knew_is_not_known(load: Load) -> None:
    first = load(KNOWN, "customers")
    undo(first.batch, now=NOW)
    assert counts(load(KNOWN, "customers", decisions={"": "refuse"}))[3] == 0
    assert len(held()) == 2


def test_the_check_shows_what_would_change_and_writes_nothing(load: Load, write: Callable[..., Path]) -> None:
    load(KNOWN, "customers")
    text = HEAD + "K1,张三,,北京,,\nK2,李四,,,,\n"
    path = write(text, "new.csv")
    batch = pipeline.start([SourceFile(path, path.name)], kind="customers", now=NOW)
    [group] = pipeline.analyse(batch.pk, now=NOW).met
    assert (group.group, group.rows, group.same) == ("number", 2, 1)
    [one] = group.samples
    assert (one.name, dict(one.differences)) == ("张三", {"city": ("上海", "北京")})
    assert ("张三", "上海", "") in held()
