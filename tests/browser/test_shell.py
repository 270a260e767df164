"""The front door, the shell around every page, and the style guide, which holds every component."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.audit import COLOURS, findings, sideways
from tests.browser.waiting import go
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]

LOOKS = [("desktop", False), ("phone", False), ("phone", True)]


@pytest.mark.parametrize(("size", "dark"), LOOKS)
def test_every_component_is_accessible_and_fits(visit: Visit, people: Cast, size: str, dark: bool) -> None:
    page = visit("/styleguide/", size=size, dark=dark, by=people.owner)
    expect(page.locator("[data-chart] svg").first).to_be_visible()
    assert findings(page, only=COLOURS if dark else None) == []
    assert sideways(page) == 0


@pytest.mark.parametrize(("size", "dark"), LOOKS)
def test_the_front_door_is_accessible_and_fits(visit: Visit, size: str, dark: bool) -> None:
    page = visit("/login/", size=size, dark=dark)
    assert findings(page, only=COLOURS if dark else None) == []
    assert sideways(page) == 0


@pytest.mark.parametrize(("size", "dark"), LOOKS)
def test_the_first_page_of_an_empty_installation_is_accessible_and_fits(
    visit_empty: Visit, size: str, dark: bool
) -> None:
    page = visit_empty("/setup/", size=size, dark=dark)
    expect(page.get_by_role("button", name="开始")).to_be_visible()
    assert findings(page, only=COLOURS if dark else None) == []
    assert sideways(page) == 0
    page.get_by_role("button", name="开始").click()  # its refusals are held to the same
    assert findings(page, only=COLOURS if dark else None) == []


@pytest.mark.parametrize(("size", "dark"), LOOKS)
def test_my_page_and_the_page_of_a_lost_address_are_accessible_and_fit(
    visit: Visit, people: Cast, size: str, dark: bool
) -> None:
    page = visit("/me/", size=size, dark=dark, by=people.clerk)
    for path in ("/me/", "/nowhere/"):
        go(page, path)
        assert findings(page, only=COLOURS if dark else None) == [], path
        assert sideways(page) == 0, path
    visit.said.clear()  # type: ignore[attr-defined]  the browser logs the status 404 as an error


@pytest.mark.parametrize("language", ["en", "zh-hant"])
def test_longer_words_still_fit_on_a_phone(visit: Visit, people: Cast, language: str) -> None:
    for path in ("/login/", "/styleguide/", "/me/"):
        page = visit(path, size="phone", by=None if path == "/login/" else people.owner, language=language)
        assert sideways(page) == 0, path


def test_one_logs_in_with_a_wrong_try_first(visit: Visit, people: Cast) -> None:
    page = visit("/me/")
    page.get_by_label("用户名").fill("clerk")
    page.get_by_label("密码").fill("wrong")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不对")
    expect(page.get_by_label("用户名")).to_have_value("clerk")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("苏晴")
    visit.said.clear()  # type: ignore[attr-defined]  the browser logs the refusal's status 401 as an error


def test_the_language_is_kept_with_the_person(visit: Visit, people: Cast) -> None:
    page = visit("/me/", by=people.clerk)
    page.get_by_role("button", name="English").last.click()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    elsewhere = visit("/me/", by=people.clerk, language="zh-hans")
    expect(elsewhere.get_by_role("heading", name="Account")).to_be_visible()


def test_dark_stays_dark(visit: Visit, people: Cast) -> None:
    page = visit("/me/", by=people.clerk)
    page.locator(".top [data-theme-toggle]").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_the_store_of_the_switcher_is_remembered(visit: Visit, people: Cast) -> None:
    page = visit("/me/", by=people.owner)
    page.locator(".top summary", has_text="全部门店").click()
    page.get_by_role("button", name="徐汇店").click()
    expect(page.locator(".top summary", has_text="徐汇店")).to_be_visible()


def test_the_keyboard_reaches_the_search_and_leaves_a_menu(visit: Visit, people: Cast) -> None:
    page = visit("/me/", by=people.owner)
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.id") == "find"
    page.locator(".top summary").last.click()
    page.keyboard.press("Escape")
    expect(page.locator("details.menu[open]")).to_have_count(0)


def test_a_drawer_opens_and_closes(visit: Visit, people: Cast) -> None:
    page = visit("/styleguide/", size="phone", by=people.owner)
    page.get_by_role("button", name="打开抽屉").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("dialog").get_by_role("button", name="关闭").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_toast_offers_to_undo(visit: Visit, people: Cast) -> None:
    page = visit("/styleguide/?toast=1", by=people.owner)
    toast = page.locator("[data-toast]")
    expect(toast.get_by_role("button", name="撤销")).to_be_visible()
    toast.get_by_role("button", name="关闭").click()
    expect(toast).to_have_count(0)
