"""The customer pages under real hands: typing, filtering, going back, dialling, tagging; and readable by everybody."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from changke.facts.customers.models import Customer
from changke.facts.customers.services.change import change
from changke.facts.customers.services.tags import add_tag
from changke.foundation.audit.models import AuditLine
from changke.profiles.lifecycle.services.some import refresh_customers
from tests.browser.audit import findings, sideways
from tests.browser.waiting import go, settled
from tests.cast import NOW, Cast

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture
def shop(people: Cast) -> Cast:
    """The cast, with profiles, a tag and an allergy."""
    add_tag(people.mo, "敏感肌", now=NOW)
    change(people.mo.pk, {"allergies": "水杨酸", "birth_month": 2, "birth_day": 29}, now=NOW)
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return people


def looks(page: Page) -> None:
    assert findings(page) == []
    assert sideways(page) == 0


@pytest.mark.parametrize(("size", "dark", "language"), [("desktop", False, "en"), ("phone", True, "zh-hant")])
def test_every_customer_page_is_readable_by_everybody(
    visit: Visit, shop: Cast, size: str, dark: bool, language: str
) -> None:
    shop.owner.language = language
    shop.owner.save()
    page = visit("/customers/", size=size, dark=dark, by=shop.owner, language=language)
    looks(page)
    for path in (
        "?q=龘",
        f"{shop.mo.pk}/",
        f"{shop.mo.pk}/?as_of=2026-03-04",
        f"{shop.bai.pk}/",
        f"{shop.mo.pk}/edit/",
    ):
        go(page, f"/customers/{path}")
        looks(page)


def test_the_list_follows_the_typing_and_the_back_button(visit: Visit, shop: Cast) -> None:
    page = visit("/customers/", by=shop.owner)
    table = page.get_by_role("table").locator("tbody")
    expect(table.get_by_role("link")).to_have_count(6)
    page.locator("#q").press_sequentially("moc")
    expect(table.get_by_role("link")).to_have_text(["莫愁"])
    expect(page).to_have_url("/customers/?q=moc")
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator(".facet-count")).to_have_text(["0", "0", "0", "1", "0"])
    page.go_back()
    expect(table.get_by_role("link")).to_have_count(6)


def test_a_stage_is_a_tap_away(visit: Visit, shop: Cast) -> None:
    page = visit("/customers/", size="phone", by=shop.owner)
    page.locator(".facet", has_text="沉默期").tap()
    cards = page.locator(".list-card")
    expect(cards).to_have_count(1)
    cards.first.tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("莫愁")


def test_a_number_shows_itself_only_after_a_reason(visit: Visit, shop: Cast) -> None:
    page = visit(f"/customers/{shop.mo.pk}/", by=shop.owner)
    page.locator(".call-menu > summary").click()
    page.get_by_role("button", name="核对身份").click()
    expect(page.locator(".call-number")).to_have_text("13800000004")
    expect(page.get_by_role("link", name="拨号")).to_have_attribute("href", "tel:+8613800000004")
    assert AuditLine.objects.get(action="phone.unmasked").after == {"reason": "verify"}


def test_the_past_arrives_after_the_page(visit: Visit, shop: Cast) -> None:
    page = visit(f"/customers/{shop.mo.pk}/?as_of=2026-03-04", by=shop.owner)
    expect(page.locator(".ribbon-part")).to_have_count(4)
    expect(page.locator("svg.rhythm .bought")).to_have_count(6)


def test_tags_come_and_go_and_come_back(visit: Visit, shop: Cast) -> None:
    page = visit(f"/customers/{shop.mo.pk}/", by=shop.owner)
    tags = page.locator(".customer-tags .tag")
    page.get_by_label("新标签").fill("宝妈")
    page.get_by_label("新标签").press("Enter")
    expect(tags).to_have_count(2)
    tags.filter(has_text="敏感肌").click()
    page.locator(".tag-why[open]").get_by_role("button", name="取下").click()
    expect(tags).to_have_count(1)
    page.locator(".toast").get_by_role("button", name="撤销").click()
    expect(tags).to_have_count(2)


def test_on_a_slow_line_too_undo_brings_the_tag_back(visit: Visit, shop: Cast) -> None:
    """The message whose button was pressed waits for the answer, which would find nobody otherwise."""
    page = visit(f"/customers/{shop.mo.pk}/", by=shop.owner)
    tags = page.locator(".customer-tags .tag")
    tags.filter(has_text="敏感肌").click()
    page.locator(".tag-why[open]").get_by_role("button", name="取下").click()
    expect(tags).to_have_count(0)

    def slowly(route: Route) -> None:
        time.sleep(0.8)
        route.continue_()

    page.route("**/tags/?tag=*", slowly)
    page.locator(".toast").get_by_role("button", name="撤销").click()
    expect(tags).to_have_count(1)
    expect(page.locator(".toast")).to_have_count(0)


def test_a_definition_opens_on_a_tap(visit: Visit, shop: Cast) -> None:
    page = visit(f"/customers/{shop.mo.pk}/", size="phone", by=shop.owner)
    page.locator(".customer-value").get_by_text("平常间隔").tap()
    expect(page.locator(".customer-value").get_by_text("她平常的到店间隔")).to_be_visible()


def test_a_tick_right_after_a_search_stays(visit: Visit, shop: Cast) -> None:
    page = visit("/customers/", by=shop.owner)
    table = page.get_by_role("table").locator("tbody")
    page.locator("#q").press_sequentially("moc")
    expect(table.get_by_role("link")).to_have_text(["莫愁"])
    page.locator("[data-pick]").check()
    settled(page)
    expect(page.locator("[data-pick]")).to_be_checked()
    expect(page.locator("button[data-picked]")).to_be_enabled()
