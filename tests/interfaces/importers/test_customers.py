"""Customer files: tags, matches, and the way back to what a profile said before (docs/algorithms/import.md)."""

import datetime as dt
import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from changke.facts.catalog.services.intake import NewItem, take_in_items
from changke.facts.customers import rules
from changke.facts.customers.models import Customer, Replaced, Tag
from changke.facts.customers.services.change import change
from changke.facts.customers.services.tags import add_tag
from changke.facts.purchases.models import Line, Receipt
from changke.foundation.access.models import Role
from changke.foundation.access.services import add_staff
from changke.interfaces.importers import pipeline
from changke.interfaces.importers.normalise.texts import tags_of
from changke.interfaces.importers.undo import leaving
from tests.interfaces.importers.conftest import NOW, Load, counts

HEAD = "会员号,姓名,城市,职业,生日,标签\n"


def tags() -> set[tuple[str, str]]:
    return set(Tag.objects.values_list("name", "source"))


def vera() -> Customer:
    return Customer.objects.get(identifiers__value="K1")


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("VIP", ["VIP"]),
        ("VIP、敏感肌，老客户,a;b；c/d|e", ["VIP", "敏感肌", "老客户", "a", "b", "c", "d", "e"]),
        ("VIP/ VIP ／ＶＩＰ", ["VIP"]),
        (" 爱 喝茶 、、无、-", ["爱 喝茶"]),
        ("x" * 70, ["x" * 60]),
        ("", []),
    ],
)
def test_a_cell_holds_several_tags(cell: str, names: list[str]) -> None:
    assert tags_of(cell) == names


def test_tags_of_a_file_are_kept_once_and_leave_with_their_batch(load: Load) -> None:
    first = load(HEAD + "K1,张三,,,,VIP、敏感肌\nK2,李四,,,,VIP\n", "customers")
    mine = f"import:{first.batch}"
    assert counts(first) == (2, 0, 0, 0)
    assert sorted(Tag.objects.values_list("name", "source")) == [("VIP", mine), ("VIP", mine), ("敏感肌", mine)]
    add_tag(vera(), "怕痛", now=NOW)

    assert counts(load(HEAD + "K1,张三,,,,敏感肌;VIP\nK2,李四,,,,VIP\n", "customers")) == (0, 0, 2, 0)
    second = load(HEAD + "K1,张三,,,,VIP;怕痛;新\nK2,李四,,,,VIP\n", "customers")
    assert counts(second) == (0, 1, 1, 0)
    assert leaving(second.batch).tags == 1

    pipeline.undo(second.batch, now=NOW)
    assert tags() == {("VIP", mine), ("敏感肌", mine), ("怕痛", "staff")}
    assert leaving(first.batch).customers == 1  # the tag by hand keeps Vera
    pipeline.undo(first.batch, now=NOW)
    assert tags() == {("怕痛", "staff")}
    assert [one.is_active for one in Customer.objects.order_by("id")] == [True, False]


def test_a_match_counts_for_every_writing_of_the_word(load: Load) -> None:
    add_staff(username="may", name="美美", code="M1", now=NOW)
    take_in_items([NewItem(code="Hydra-1", name="补水护理", kind="service", category="")])
    outcome = load(
        "单号,日期,手机号,金额,门店,员工,项目\n"
        "1,2026-01-03,13800000001,100,ＸＨ Old,Ｍａｙ,Ｈｙｄｒａ\n2,2026-01-03,13800000002,50,xh old,MAY,hydra\n",
        store="",
        matches={"store": {"xh OLD ": "ｘｈ"}, "staff": {"may ": "m1"}, "item": {"HYDRA": " hydra-1"}},
    )
    assert counts(outcome) == (2, 0, 0, 0)
    assert list(Receipt.objects.values_list("store__code", "staff__code").distinct()) == [("XH", "M1")]
    assert set(Line.objects.values_list("item__name", flat=True)) == {"补水护理"}


@pytest.mark.parametrize(
    ("before", "after", "now", "back"),
    [
        ({"city": "上海"}, {"city": "苏州"}, {"city": "苏州"}, {"city": "上海"}),
        ({"city": "上海"}, {"city": "苏州"}, {"city": "杭州"}, {}),  # somebody knew better since
        ({"city": "", "name": "a"}, {"city": "x", "name": "b"}, {"city": "x", "name": "c"}, {"city": ""}),
        # A date is one thing: the old month does not join a new day.
        ({"birth_year": 1, "birth_day": 9}, {"birth_year": 2, "birth_day": 3}, {"birth_year": 2, "birth_day": 4}, {}),
    ],
)  # fmt: skip
def test_only_what_still_holds_the_batchs_value_is_put_back(
    before: dict[str, object], after: dict[str, object], now: dict[str, object], back: dict[str, object]
) -> None:
    assert rules.to_put_back(before=before, after=after, now=now) == back


def test_undo_restores_the_fields_that_nobody_changed_since(load: Load) -> None:
    load(HEAD + "K1,张三,上海,教师,1990-05-01,\n", "customers")
    second = load(HEAD + "K1,张三丰,苏州,医生,1991-06-02,\n", "customers")
    assert leaving(second.batch).profiles == 1
    change(vera().pk, {"occupation": "律师"}, now=NOW)
    pipeline.undo(second.batch, now=NOW)
    found = vera()
    assert (found.name, found.initials, found.city, found.occupation) == ("张三", "zs", "上海", "律师")
    assert (found.birth_year, found.birth_month, found.birth_day) == (1990, 5, 1)
    assert not Replaced.objects.exists()


def test_the_page_says_before_an_undo_what_comes_back_and_what_stays(load: Load) -> None:
    load(HEAD + "K1,张三,上海,,,\n", "customers")
    second = load(HEAD + "K1,张三,苏州,,,VIP\n", "customers")
    anna = add_staff(username="anna", name="Anna", role=Role.OWNER, now=NOW)
    anna.language = "en"
    anna.save()
    client = Client()
    client.force_login(anna)
    page = client.get(f"/imports/{second.batch}/undo/")
    assert (page.context["leaving"].profiles, page.context["leaving"].tags) == (1, 1)
    words = page.content.decode()
    assert "Profiles it changed" in words
    assert "Profiles take their former values again, except what somebody changed since." in words
    assert "phones and member numbers, and the stores, staff and services it created" in words


def test_the_command_line_says_what_an_undo_took_back(load: Load) -> None:
    load(HEAD + "K1,张三,上海,,,\n", "customers")
    second = load(HEAD + "K1,张三,苏州,,,VIP\nK2,李四,,,,\n", "customers")
    said = StringIO()
    call_command("load", undo=second.batch, json=True, stdout=said, stderr=StringIO())
    assert json.loads(said.getvalue().splitlines()[-1]) == {
        "batch": second.batch, "withdrawn": 0, "hidden": 1, "profiles": 1, "tags": 1,
        "own_fields": 0, "consents": 0,
    }  # fmt: skip
    assert vera().city == "上海"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_loads_may_be_undone_in_any_order(load: Load, order: tuple[int, int]) -> None:
    load(HEAD + "K1,张三,上海,,,\n", "customers")
    batches = [load(HEAD + f"K1,张三,{city},,,\n", "customers").batch for city in ("苏州", "杭州")]
    pipeline.undo(batches[order[0]], now=NOW)
    assert vera().city == ("杭州" if order[0] == 0 else "苏州")
    pipeline.undo(batches[order[1]], now=NOW)
    assert vera().city == "上海"


def test_a_purchase_file_that_filled_a_name_and_an_earlier_day_takes_them_back(load: Load) -> None:
    head = "会员号,姓名,日期,金额\n"
    load("会员号,入会日期\nK1,2026-02-01\n", "customers")
    first = load(head + "K1,,2026-01-20,5\n")
    second = load(head + "K1,张三,2026-01-03,100\n")
    assert (vera().name, vera().known_on) == ("张三", dt.date(2026, 1, 3))
    pipeline.undo(second.batch, now=NOW)
    assert (vera().name, vera().known_on) == ("", dt.date(2026, 1, 20))
    pipeline.undo(first.batch, now=NOW)
    assert vera().known_on == dt.date(2026, 2, 1)


def test_whom_the_batch_showed_again_is_hidden_again(load: Load) -> None:
    first = load(HEAD + "K1,张三,,,,\n", "customers")
    pipeline.undo(first.batch, now=NOW)
    second = load(HEAD + "K1,张三,,,,\n", "customers")
    assert vera().is_active
    pipeline.undo(second.batch, now=NOW)
    assert not vera().is_active
