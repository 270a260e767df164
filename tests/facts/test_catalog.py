"""The catalogue kept by hand: what may be said, who is told, what the trail keeps, what stays as it was."""

import datetime as dt
from typing import Any

import pytest

from changke.facts.catalog import rules
from changke.facts.catalog.models import Category, Item
from changke.facts.catalog.queries import Wanted, categories_held, count_in_need, count_of_unknown_kind, items_of
from changke.facts.catalog.services import keep
from changke.facts.catalog.services.intake import NewItem, take_in_items
from changke.facts.purchases.models import Receipt
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import By
from changke.foundation.audit.services.restore import restore
from changke.foundation.errors import Invalid, NotFound
from changke.profiles.segments.services.save import save_segment
from tests.cast import NOW, Cast, ago, buys

pytestmark = pytest.mark.django_db
LIN = By("staff", 1, "林")
LATER = NOW + dt.timedelta(minutes=5)


def last(action: str) -> AuditLine:
    return AuditLine.objects.filter(action=action).latest("pk")


@pytest.mark.parametrize(
    ("typed", "points"),
    [
        ("", None), (None, None), ("0", 0), ("60", 6000), ("60%", 6000), (" 60.25 ％", 6025), ("100", 10_000),
        ("60.10", 6010), ("1e1", 1000),
    ],
)  # fmt: skip
def test_a_margin_is_a_percentage(typed: str | None, points: int | None) -> None:
    assert rules.basis_points(typed) == points
    assert rules.basis_points(rules.percent(points)) == points, "as it is shown it is read"


@pytest.mark.parametrize("typed", ["-1", "100.01", "60.255", "many", "1e9999999", "NaN", "Infinity", "%60", "1,5"])
def test_what_is_no_percentage_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.basis_points(typed)
    assert refused.value.field == "margin"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", ""), ("code", "x" * 81), ("code", "\0"), ("name", "  \t"), ("name", "\x07\u200b"),
        ("name", "名" * 201),
        ("kind", "haircut"), ("kind", None), ("price_minor", -1), ("price_minor", 10**9 + 1), ("price_minor", 12.5),
        ("price_minor", True), ("unit_cost_minor", -1), ("unit_cost_minor", 10**30), ("usual_cycle_days", 0),
        ("usual_cycle_days", 3651), ("colour", "red"),
    ],
)  # fmt: skip
def test_what_no_item_can_be_is_refused_with_its_field(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        keep.add_item(**{"code": "N1", "name": "新", field: value}, now=NOW)
    assert refused.value.field == field
    assert not Item.objects.exists()


def test_an_item_is_added_as_it_was_meant(cast: Cast) -> None:
    item = keep.add_item(
        code=" N\u00001 ", name="肩颈\r\n 舒缓\u200b", kind="service", category=cast.facial.category, price_minor=0,
        unit_cost_minor=1_000, usual_cycle_days=3650, by=LIN, now=NOW,
    )  # fmt: skip
    assert (item.code, item.name, item.kind, item.usual_cycle_days) == ("N1", "肩颈 舒缓", "service", 3650)
    line = last("item.added")
    assert (line.actor_name, line.subject, (line.after or {})["code"]) == ("林", f"item:{item.pk}", "N1")
    with pytest.raises(keep.ItemCodeTaken):
        keep.add_item(code="N1", name="另一个", now=NOW)


def test_the_code_stays_and_what_is_gone_is_not_found(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        keep.change_item(cast.facial.pk, {"code": "F2"}, now=NOW)
    assert refused.value.field == "code"
    with pytest.raises(NotFound):
        keep.change_item(999_999, {"name": "x"}, now=NOW)
    with pytest.raises(NotFound):
        keep.change_category(999_999, {"name": "x"}, now=NOW)


def test_a_change_has_a_line_with_both_sides_and_is_put_back(cast: Cast) -> None:
    keep.change_item(cast.facial.pk, {"kind": "product", "category": None, "unit_cost_minor": None}, by=LIN, now=NOW)
    line = last("item.changed")
    assert line.before == {"item_kind": "service", "category": cast.facial.category_id, "unit_cost_minor": 6_000}
    assert line.after == {"item_kind": "product", "category": None, "unit_cost_minor": None}
    assert restore(line, by=LIN, now=LATER) == ["category", "item_kind", "unit_cost_minor"]
    back = Item.objects.get(pk=cast.facial.pk)
    assert (back.kind, back.category_id, back.unit_cost_minor) == ("service", cast.facial.category_id, 6_000)


def test_saving_what_stands_there_writes_no_line(cast: Cast) -> None:
    keep.change_item(cast.facial.pk, {"kind": "service", "name": " 深层补水 "}, now=NOW)
    assert not AuditLine.objects.filter(action="item.changed").exists()


def test_a_margin_is_put_back_and_a_name_is_taken_once(cast: Cast) -> None:
    skin = Category.objects.get()
    keep.change_category(skin.pk, {"margin_basis_points": 5_500}, by=LIN, now=NOW)
    restore(last("category.changed"), by=LIN, now=LATER)
    assert Category.objects.get(pk=skin.pk).margin_basis_points == 6_000
    hair = keep.add_category(name="美发", now=NOW)
    for refused in (
        lambda: keep.add_category(name=" 美发 ", now=NOW),
        lambda: keep.change_category(hair.pk, {"name": "面部护理"}, now=NOW),
    ):
        with pytest.raises(keep.CategoryNameTaken):
            refused()
    with pytest.raises(Invalid):
        keep.add_category(name="x", margin_basis_points=10_001, now=NOW)
    with pytest.raises(keep.UnknownCategory):
        keep.category_named("没有的")
    assert keep.category_named(" ") is None


def test_who_saves_second_is_told_and_what_she_left_alone_stays(cast: Cast) -> None:
    seen = {"name": "深层补水", "price_minor": 28_800}
    keep.change_item(cast.facial.pk, {"price_minor": 29_800}, seen=seen, now=NOW)
    with pytest.raises(keep.ChangedMeanwhile) as refused:
        keep.change_item(cast.facial.pk, {"price_minor": 31_800}, seen=seen, now=NOW)
    assert refused.value.fields == ["price_minor"]
    keep.change_item(cast.facial.pk, {"name": "深层补水 60 分钟"}, seen=seen, now=NOW)
    keep.change_item(cast.facial.pk, {"price_minor": 29_800}, seen=seen, now=NOW)  # both meant the same
    assert Item.objects.get(pk=cast.facial.pk).price_minor == 29_800


def test_many_are_changed_at_once_each_with_its_line(cast: Cast) -> None:
    take_in_items(NewItem(f"X{number}", f"项目{number}") for number in range(130))
    assert count_of_unknown_kind() == 130
    ids = list(Item.objects.filter(kind="other").values_list("pk", flat=True))
    changes = {"kind": "service", "category": cast.facial.category}
    assert keep.change_items([*ids, cast.facial.pk, 999_999], changes, by=LIN, now=NOW) == 130
    assert AuditLine.objects.filter(action="item.changed").count() == 130
    assert (keep.change_items(ids, changes, now=NOW), count_of_unknown_kind()) == (0, 0)
    with pytest.raises(Invalid):
        keep.change_items(ids, {"name": "都一样"}, now=NOW)


def test_a_category_that_a_segment_asks_for_keeps_its_name(cast: Cast) -> None:
    save_segment(None, name="护肤客", text='count(purchase of category "面部护理" in 90 days) >= 2', now=NOW)
    skin = Category.objects.get()
    with pytest.raises(keep.CategoryAsked, match="护肤客"):
        keep.change_category(skin.pk, {"name": "面护"}, now=NOW)
    keep.change_category(skin.pk, {"name": "面部护理", "margin_basis_points": 5_000}, now=NOW)


def test_what_needs_care_is_found(cast: Cast) -> None:
    bare = keep.add_category(name="身体", now=NOW)
    for code, changes in {
        "A1": {"kind": "other", "unit_cost_minor": 100},  # nobody said what it is
        "A2": {"kind": "service"},  # neither a cost nor a category
        "A3": {"kind": "product", "category": bare},  # a category without a margin
        "A4": {"kind": "service", "category": cast.facial.category},  # 60 %
        "A5": {"kind": "topup"},  # renders nothing
        "A6": {"kind": "other", "is_active": False},
    }.items():
        keep.add_item(code=code, name=f"项目 {code}", now=NOW, **changes)
    assert [one.code for one in items_of(Wanted(care=True))] == ["A1", "A2", "A3"]
    assert count_in_need() == 3
    assert [one.code for one in items_of(Wanted(text="a4"))] == ["A4"]
    assert [one.code for one in items_of(Wanted(text="深层", ids=[cast.card.pk]))] == ["F1", "C10"]
    assert [one.code for one in items_of(Wanted(category="面部护理"))] == ["F1", "A4"]
    held = {one.category.name: (one.items, one.without_cost) for one in categories_held()}
    assert held == {"面部护理": (2, 1), "身体": (1, 1)}


def test_receipts_stay_as_they_were_reckoned(cast: Cast) -> None:
    before = buys(cast.mo, cast.facial, 28_800, on=ago(3), store=cast.jing_an, key="before")
    facial = keep.change_item(cast.facial.pk, {"unit_cost_minor": None, "kind": "product"}, now=NOW)
    after = buys(cast.mo, facial, 28_800, on=ago(2), store=cast.jing_an, key="after")
    assert (after.margin_minor, after.margin_basis) == (17_280, "percent")
    stays = Receipt.objects.get(pk=before.pk)
    assert (stays.margin_minor, stays.margin_basis) == (22_800, "cost")
