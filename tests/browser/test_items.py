"""The catalogue under real hands: searched while one types, ticked, set at once; readable by everybody."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from changke.facts.catalog.models import Item
from changke.facts.catalog.services.intake import NewItem, take_in_items
from tests.browser.audit import findings, sideways
from tests.browser.waiting import go
from tests.cast import Cast

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture
def shop(people: Cast) -> Cast:
    take_in_items(NewItem(f"X{number}", f"肩颈舒缓 {number}") for number in range(3))
    return people


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)])
def test_every_page_of_the_catalogue_is_readable_by_everybody(visit: Visit, shop: Cast, size: str, dark: bool) -> None:
    page = visit("/settings/items/", size=size, dark=dark, by=shop.hq)
    for path in (
        "items/", "items/?care=1", "items/?q=xx", "items/new/", f"items/{shop.facial.pk}/", "items/sheet/",
        "categories/", f"categories/{shop.facial.category_id}/",
    ):  # fmt: skip
        go(page, f"/settings/{path}")
        assert findings(page) == [], path
        assert sideways(page) == 0, path


def test_items_are_found_ticked_and_set_at_once(visit: Visit, shop: Cast) -> None:
    page = visit("/settings/items/", by=shop.hq)
    rows = page.locator("#item-rows tbody tr")
    expect(rows).to_have_count(5)
    page.locator("#q").press_sequentially("jjsh")
    expect(rows).to_have_count(3)
    button = page.get_by_role("button", name="应用于已勾选的")
    expect(button).to_be_disabled()
    page.get_by_label("勾选肩颈舒缓 0").check()
    page.get_by_label("勾选肩颈舒缓 2").check()
    page.get_by_label("要设的类型").select_option("service")
    page.get_by_label("要设的分类").select_option(label="面部护理")
    expect(page.get_by_label("勾选肩颈舒缓 0")).to_be_checked()
    button.click()
    expect(page.locator(".toast")).to_contain_text("已修改 2 个品项")
    expect(page.locator("#q")).to_have_value("jjsh")
    kinds = Item.objects.filter(code__startswith="X").order_by("code").values_list("kind", "category__name")
    assert list(kinds) == [("service", "面部护理"), ("other", None), ("service", "面部护理")]
