"""The lifecycle page, the people behind it, and every settings page: readable by everybody, in both sizes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from changke.profiles.lifecycle.services import refresh_all
from tests.browser.audit import findings, sideways
from tests.browser.waiting import go
from tests.cast import NOW, Cast

PAGES = [
    "/lifecycle/",
    "/lifecycle/?model=m1&show=value",
    "/lifecycle/people/?model=m4&stage=silent",
    "/settings/",
    "/settings/stores/",
    "/settings/stores/new/",
    "/settings/staff/",
    "/settings/staff/new/",
    "/settings/keys/",
]


@pytest.mark.browser
@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)])
def test_every_page_is_readable_by_everybody(
    visit: Callable[..., Page], people: Cast, tmp_path: Path, size: str, dark: bool
) -> None:
    refresh_all(now=NOW, mirror=tmp_path / "mirror.duckdb")
    page = visit("/me/", size=size, dark=dark, by=people.owner)
    for path in PAGES:
        go(page, path)
        assert findings(page) == [], path
        assert sideways(page) == 0, path


@pytest.mark.browser
def test_the_preview_follows_the_days_in_the_form(visit: Callable[..., Page], people: Cast, tmp_path: Path) -> None:
    refresh_all(now=NOW, mirror=tmp_path / "mirror.duckdb")
    page = visit("/settings/", by=people.owner, language="en")
    page.get_by_label("Silent after (days)").fill("200")
    page.get_by_text("choose more days for lost").wait_for()
