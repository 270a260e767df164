"""The rules of a model under real hands: rows of deeds and tags as in segments, on both sizes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from changke.facts.customers.models import Customer
from changke.facts.customers.services.tags import add_tag
from changke.foundation.organisation.queries import the_chain
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.lifecycle.services import bring_into_use, publish_models
from changke.profiles.lifecycle.services.some import refresh_customers
from tests.browser.audit import findings, sideways
from tests.browser.waiting import go
from tests.cast import NOW, Cast

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def words(text: str) -> dict[str, str]:
    return {"zh-hans": text, "en": text, "zh-hant": text}


MINE = {
    "key": "mine", "words": words("敏感肌顾客"),
    "stages": [{"key": "care", "words": words("要呵护")}, {"key": "rest", "words": words("其他")}],
    "ask": [
        {"stage": "care", "reason": words("买过 {purchases} 次"), "when": {"and": [
            {"measure": "sum", "deed": {"kind": "use"}, "days": 365, "op": "<", "value": 500_000},
            {"or": [
                {"tag": "敏感肌"},
                {"not": {"first": {"kind": "visit"}, "then": {"kind": "purchase"}, "within": 30, "days": 365}},
            ]},
        ]}},
        {"stage": "rest", "reason": words("其他")},
    ],
}  # fmt: skip


@pytest.fixture
def shop(people: Cast) -> Cast:
    add_tag(people.mo, "敏感肌", now=NOW)
    publish_models(the_chain(), now=NOW)
    bring_into_use(MINE, chain=the_chain(), now=NOW)
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return people


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)])
def test_the_rules_are_readable_by_everybody(visit: Visit, shop: Cast, size: str, dark: bool) -> None:
    page = visit("/lifecycle/models/mine/", size=size, dark=dark, by=shop.owner)
    for path in ("mine/", "m4/?copy=1"):
        go(page, f"/lifecycle/models/{path}")
        assert findings(page) == [], path
        assert sideways(page) == 0, path


def test_a_row_is_added_filled_tried_and_published(visit: Visit, shop: Cast) -> None:
    page = visit("/lifecycle/models/mine/", by=shop.owner)
    rule = page.locator("#when-0-editor")
    rule.get_by_role("button", name="添加条件", exact=True).last.click()
    rule.get_by_label("问什么").nth(3).select_option("#tag")
    page.locator("[name='when-0.2.value']").fill("敏感肌")
    page.get_by_role("button", name="谁会换阶段").last.click()
    expect(page.locator("[name=previewed]")).to_have_count(1)
    expect(page.locator("[name='when-0.2.value']")).to_have_value("敏感肌")
    page.get_by_role("button", name="发布", exact=True).click()
    page.wait_for_url("**/lifecycle/models/")
    asked = StageModel.objects.get(key="mine").definition["ask"][0]["when"]["and"]
    assert asked == [*MINE["ask"][0]["when"]["and"], {"tag": "敏感肌"}]  # type: ignore[index]
