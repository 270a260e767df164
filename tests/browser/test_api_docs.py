"""The page that documents the API works under our content security policy (the fixture watches the console)."""

from collections.abc import Callable

from playwright.sync_api import Page


def test_the_api_is_documented_by_a_page_of_our_own(visit: Callable[..., Page]) -> None:
    page = visit("/api/v1/docs")
    page.get_by_text("/api/v1/purchases").first.wait_for()
    assert page.locator(".opblock").count() >= 20
    page.locator("#operations-purchases-post_purchases").click()
    page.get_by_text("JA-20260301-0007").first.wait_for()
