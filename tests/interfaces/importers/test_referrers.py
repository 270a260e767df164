"""Who brought whom as a column of a customer file: recognised, looked up when all are in, told where it cannot be."""

import csv
import datetime as dt
from pathlib import Path

import pytest

from changke.facts.customers.models import Customer
from changke.facts.referrals.models import How, Referral
from changke.facts.referrals.queries import referrer_of
from changke.facts.referrals.services import name_referrer, take_off_referrer
from changke.interfaces.importers import columns, pipeline
from changke.interfaces.importers.batches import before_undo
from changke.interfaces.importers.pipeline import Outcome, SourceFile
from changke.interfaces.importers.undo import leaving, undo
from tests.interfaces.importers.conftest import NOW, Load, counts

LATER = NOW + dt.timedelta(minutes=5)
HEAD = "会员编号,姓名,手机号,卡号,注册日期,介绍人\n"
FILE = (
    HEAD + "K1,张三,13900000001,C-1,2025-01-02,K2\n"  # of a later row
    "K2,李四,13900000002,,2024-05-01,139 0000 0003\n"
    "K3,王五,13900000003,,,\n"
    "K4,赵六,13900000004,,,C-1\n"
    "K5,孙七,13900000005,,,王五\n"
    "K6,周八,13900000006,,,13900000006\n"
)


def customer(number: str) -> Customer:
    return Customer.objects.get(identifiers__value=number)


def brought_by(number: str) -> Customer | None:
    said = referrer_of(customer(number).pk)
    return Customer.objects.get(pk=said.referrer_id) if said and said.referrer_id else None


def told(outcome: Outcome) -> list[tuple[str, str, str]]:
    with Path(outcome.error_file).open(encoding="utf-8-sig") as stream:
        return [(row["Error column"], row["Error value"], row["Error reason"]) for row in csv.DictReader(stream)]


@pytest.mark.parametrize("heading", ["推荐人", "介绍人手机号", "Referrer", "Referred by", "轉介紹人", "推薦人"])
def test_the_column_is_recognised(heading: str) -> None:
    assert columns.recognise(["会员编号", "姓名", heading], "customers")["referrer"] == heading


def test_number_card_and_phone_name_who_brought_her(load: Load) -> None:
    outcome = load(FILE, "customers")
    assert counts(outcome) == (6, 0, 0, 0), "all are in, whoever brought them"
    assert brought_by("K1") == customer("K2")
    assert brought_by("K2") == customer("K3")
    assert brought_by("K4") == customer("K1")
    row = Referral.objects.get(customer=customer("K1"))
    assert (row.how, row.batch_id, row.business_date) == (How.FILE, outcome.batch, dt.date(2025, 1, 2))


def test_what_cannot_be_is_told_beside_the_row(load: Load) -> None:
    outcome = load(FILE, "customers")
    assert [brought_by(one) for one in ("K3", "K5", "K6")] == [None] * 3
    (unknown, herself) = told(outcome)
    assert unknown[:2] == ("介绍人", "王五"), "a name is not enough: two may have one"
    assert unknown[2].startswith("the row is in, but this referrer was not found")
    assert herself[:2] == ("介绍人", "13900000006")
    assert "names herself" in herself[2]


def test_a_circle_in_the_file_is_told_and_the_first_row_stands(load: Load) -> None:
    outcome = load(HEAD + "K1,甲,13900000001,,,K2\nK2,乙,13900000002,,,K1\n", "customers")
    assert brought_by("K1") == customer("K2")
    assert brought_by("K2") is None
    assert ["she herself brought" in reason for _, _, reason in told(outcome)] == [True]


def test_the_mended_row_is_loaded_again_and_nothing_comes_twice(load: Load) -> None:
    load(FILE, "customers")
    again = load(FILE.replace(",,,王五", ",,,K3"), "customers", name="again.csv", decisions={"number": "update"})
    assert again.created == 0
    assert brought_by("K5") == customer("K3")
    assert Referral.objects.count() == 4


def test_the_shop_is_not_overruled_and_told_so(load: Load) -> None:
    load(FILE, "customers")
    take_off_referrer(customer("K1").pk, now=NOW)
    name_referrer(customer("K4").pk, customer("K3").pk, now=NOW)
    again = load(FILE, "customers", name="again.csv", decisions={"number": "update"}, now=LATER)
    assert brought_by("K1") is None
    assert brought_by("K4") == customer("K3")
    assert sum("somebody of the shop said otherwise" in reason for _, _, reason in told(again)) == 2


def test_undone_nobody_was_brought_and_who_named_her_later_keeps_her(load: Load) -> None:
    load(HEAD + "K0,前,13900000000,,,\n", "customers", name="first.csv")
    outcome = load(FILE, "customers")
    name_referrer(customer("K0").pk, customer("K3").pk, now=LATER)
    assert leaving(outcome.batch).referrals == 3
    assert ("referrals", 3) in [(one.code, one.count) for one in before_undo(outcome.batch).goes]
    k3 = customer("K3").pk
    undo(outcome.batch, now=LATER)
    assert not Referral.objects.filter(batch_id=outcome.batch, withdrawn_by__isnull=True).exists()
    assert set(Customer.objects.filter(is_active=True).values_list("pk", flat=True)) == {customer("K0").pk, k3}


def test_a_second_run_after_a_kill_writes_nothing_twice(stores: object, tmp_path: Path) -> None:
    path = tmp_path / "killed.csv"
    path.write_text(FILE)
    batch = pipeline.start([SourceFile(path, path.name)], kind="customers", store="JA", language="en", now=NOW)
    first = pipeline.run(batch.pk, now=NOW)
    again = pipeline.run(batch.pk, now=LATER)
    assert Referral.objects.count() == 3
    assert again.error_file
    assert first.total == again.total == 6
