"""The builder under real hands: a condition added, the count that follows, saving by a double click, a bad text."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from changke.facts.customers.models import Customer
from changke.facts.customers.services.tags import add_tag
from changke.foundation.organisation.queries import the_chain
from changke.profiles.lifecycle.services import publish_models
from changke.profiles.lifecycle.services.some import refresh_customers
from changke.profiles.segments.models import Segment
from changke.profiles.segments.services.save import save_segment
from tests.browser.audit import findings, sideways
from tests.browser.waiting import go
from tests.cast import NOW, Cast

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture
def shop(people: Cast) -> Cast:
    add_tag(people.mo, "敏感肌", now=NOW)
    publish_models(the_chain(), now=NOW)
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return people


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)])
def test_every_page_of_segments_is_readable_by_everybody(visit: Visit, shop: Cast, size: str, dark: bool) -> None:
    text = 'purchases >= 1 and not (visits > 90 or tag has "x") and count(purchase in 90 days) >= 0'
    save_segment(None, name="买过的", key="bought", text=text, now=NOW)
    save_segment(None, name="敏感", key="tagged", text='tag has "敏感肌"', now=NOW)
    page = visit("/segments/", size=size, dark=dark, by=shop.owner)
    for path in ("", "bought/", "bought/edit/", "new/", "new/?text=visitss > 3"):
        go(page, f"/segments/{path}")
        assert findings(page) == [], path
        assert sideways(page) == 0, path


def test_a_condition_is_added_counted_and_saved_once_by_a_double_click(visit: Visit, shop: Cast) -> None:
    page = visit("/segments/new/", by=shop.owner)
    page.get_by_label("分群名称").fill("常来的")
    page.get_by_label("问什么").select_option("visits")
    page.locator("[name='ask.0.value']").fill("1")
    count = page.locator("[data-count]")
    expect(count).to_be_visible()
    before = count.text_content()
    page.get_by_role("button", name="添加条件", exact=True).click()
    page.get_by_label("问什么").nth(1).select_option("#tag")
    page.locator("[name='ask.1.value']").fill("敏感肌")
    expect(count).not_to_have_text(before or "")
    expect(count).to_have_text("1")
    expect(page.locator("#told")).to_contain_text("莫愁")
    page.get_by_role("button", name="保存").dblclick()
    page.wait_for_url("**/segments/segment_1/")
    assert [one.text for one in Segment.objects.all()] == ['visits >= 1 and tag has "敏感肌"']
    page.get_by_role("link", name="在客户列表查看").click()
    expect(page.locator("tbody").get_by_role("link")).to_have_text(["莫愁"])


def test_a_bad_text_points_at_its_place_while_one_types(visit: Visit, shop: Cast) -> None:
    page = visit("/segments/new/", by=shop.owner)
    page.get_by_role("button", name="用文字写").click()
    text = page.get_by_label("条件文字")
    text.press_sequentially("visits >= 1 and silentt_days > 3")
    mark = page.locator(".condition-spot mark")
    expect(mark).to_have_text("silentt_days")
    expect(page.locator("#ask-spot")).to_contain_text("silent_days")
    text.fill("visits >= 1")
    expect(page.locator("[data-count]")).to_be_visible()
    expect(mark).to_have_count(0)
    page.get_by_role("button", name="用条件行编辑").click()
    expect(page.get_by_label("问什么")).to_have_value("visits")


def test_a_row_is_taken_away_and_typing_is_not_lost(visit: Visit, shop: Cast) -> None:
    save_segment(None, name="Two", key="two", text="visits >= 1 and purchases >= 1", now=NOW)
    page = visit("/segments/two/edit/", by=shop.owner)
    page.locator("[name='ask.1.value']").fill("2")
    page.get_by_role("button", name="去掉这个条件").first.click()
    expect(page.get_by_label("问什么")).to_have_count(1)
    expect(page.locator("[name='ask.0.value']")).to_have_value("2")
    expect(page.locator(".segment-text")).to_have_text("purchases >= 2")


def test_on_a_slow_line_what_is_told_last_is_of_the_form_as_it_stands(visit: Visit, shop: Cast) -> None:
    """The question after typing waits for the row to be taken away; it is asked of what is left."""
    save_segment(None, name="Two", key="two", text="visits >= 1 and purchases >= 1", now=NOW)
    page = visit("/segments/two/edit/", by=shop.owner)
    waited: list[str] = []

    def slowly(route: Route) -> None:
        if route.request.method == "POST":
            waited.append(route.request.post_data or "")
            time.sleep(1.2)  # the line is slow, the browser is not
        route.continue_()

    page.route("**/segments/two/edit/", slowly)
    page.locator("[name='ask.1.value']").fill("2")
    page.get_by_role("button", name="去掉这个条件").first.click()
    expect(page.locator(".segment-text")).to_have_text("purchases >= 2")
    page.wait_for_timeout(1_500)
    assert len(waited) == 2
    expect(page.locator(".segment-text")).to_have_text("purchases >= 2")
