"""The day's list on a counter's screen and on a phone: one tap, undo, dialling, a dead network."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from changke.facts.customers.models import Customer
from changke.facts.events.models import Event
from changke.profiles.lifecycle.services import refresh_customers
from tests.browser.audit import COLOURS, findings, sideways
from tests.browser.waiting import settled
from tests.cast import NOW, Cast
from tests.clock import Clock

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
LOOKS = [("desktop", False), ("phone", False), ("phone", True)]


@pytest.fixture(autouse=True)
def day(people: Cast, monkeypatch: pytest.MonkeyPatch) -> Clock:
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return Clock(monkeypatch, NOW)


def outcomes(customer: Customer) -> list[str]:
    rows = Event.objects.filter(kind="followup.recorded", customer=customer).order_by("pk")
    return [event.data["outcome"] for event in rows]


@pytest.mark.parametrize(("size", "dark"), LOOKS)
def test_the_list_is_accessible_and_fits(visit: Visit, people: Cast, size: str, dark: bool) -> None:
    page = visit("/", size=size, dark=dark, by=people.clerk)
    expect(page.locator(".call").first).to_be_visible()
    assert findings(page, only=COLOURS if dark else None) == []
    assert sideways(page) == 0


@pytest.mark.parametrize("language", ["en", "zh-hant"])
def test_longer_words_fit_on_a_phone(visit: Visit, people: Cast, language: str) -> None:
    assert sideways(visit("/", size="phone", by=people.clerk, language=language)) == 0


def test_one_tap_ticks_and_undo_brings_the_line_back(visit: Visit, people: Cast) -> None:
    page = visit("/", size="phone", by=people.clerk)
    line = page.locator(f"#line-{people.mo.pk}")
    line.get_by_role("button", name="莫愁：完成").tap()
    expect(line).to_contain_text("已完成")
    expect(page.locator("#progress")).to_contain_text("1 / 2")
    assert findings(page) == []
    page.locator("[data-toast]").get_by_role("button", name="撤销").tap()
    expect(line.get_by_role("button", name="莫愁：完成")).to_be_visible()
    expect(page.locator("#progress")).to_contain_text("0 / 2")
    assert outcomes(people.mo) == ["done", "reopened"]


def test_a_double_click_counts_once(visit: Visit, people: Cast) -> None:
    page = visit("/", by=people.clerk)
    line = page.locator(f"#line-{people.mo.pk}")
    line.get_by_role("button", name="莫愁：没联系上").dblclick()
    expect(page.locator(f"#line-{people.mo.pk}.dealt")).to_contain_text("没联系上")
    settled(page)
    assert outcomes(people.mo) == ["not_reached"]


def test_another_day_can_become_a_week(visit: Visit, people: Cast, day: Clock) -> None:
    page = visit("/", size="phone", by=people.clerk)
    line = page.locator(f"#line-{people.mo.pk}")
    line.get_by_role("button", name="莫愁：改天").tap()
    expect(line).to_contain_text("03-05")
    day.passes(seconds=5)
    line.get_by_role("button", name="7 天后").tap()
    expect(line).to_contain_text("03-11")


def test_calling_shows_the_whole_number(visit: Visit, people: Cast) -> None:
    page = visit("/", by=people.clerk)
    line = page.locator(f"#line-{people.mo.pk}")
    expect(line).not_to_contain_text("13800000004")
    line.get_by_role("button", name="给莫愁打电话").click()
    expect(line.get_by_role("link", name="现在打给莫愁")).to_have_attribute("href", "tel:+8613800000004")


def test_a_dead_network_says_so_and_leaves_the_line_as_it_was(visit: Visit, people: Cast) -> None:
    page = visit("/", size="phone", by=people.clerk)
    page.context.set_offline(True)
    line = page.locator(f"#line-{people.mo.pk}")
    line.get_by_role("button", name="莫愁：完成").tap()
    expect(page.locator("[data-offline]")).to_contain_text("没发出去")
    page.context.set_offline(False)
    line.get_by_role("button", name="莫愁：完成").tap()
    expect(line).to_contain_text("已完成")
    assert outcomes(people.mo) == ["done"]
    visit.said.clear()  # type: ignore[attr-defined]  # the browser logs the request that failed
