"""The pages in a real browser: Debian's chromium without its windows, driven by Playwright, against a live server with
the cast's chain.

A test opens pages through `visit`; at its end every error in the console fails it, so a broken script or a refusal of
the content security policy cannot pass unseen.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from changke.foundation.access.models import Staff
from tests.browser.waiting import PATIENCE_MS, go, watch
from tests.cast import Cast, assemble

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The shell is the same engine without the windows, menus and services around it: a third of the processor's time."""
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"]
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
    },
}


expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt install chromium-headless-shell fonts-noto-cjk")
    # Playwright runs an event loop in this thread; Django would take our synchronous set-up for a mistake.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def people(transactional_db: None) -> Cast:
    """The cast, committed, so that the live server sees it."""
    return assemble()


@dataclass
class Windows:
    """Windows are lent to one visit and come back empty: what a browser keeps of the scripts and styles of the pages
    need not be fetched and compiled for every test anew. `weigh` empties that too, and sees a first visit.
    """

    browser: Browser
    server: LiveServer
    free: dict[tuple[str, bool], list[BrowserContext]] = field(default_factory=dict)

    def lend(self, size: str, dark: bool) -> BrowserContext:
        if waiting := self.free.get((size, dark)):
            return waiting.pop()
        context = self.browser.new_context(
            **SIZES[size], locale="zh-CN", color_scheme="dark" if dark else "light", base_url=self.server.url
        )
        context.set_default_timeout(PATIENCE_MS)
        return context

    def take_back(self, context: BrowserContext, size: str, dark: bool) -> None:
        """Without pages, cookies and whatever a page stored, and back on the net."""
        context.set_offline(False)
        for page in context.pages[1:]:
            page.close()
        stored = {"origin": self.server.url, "storageTypes": "all"}
        for page in context.pages:
            context.new_cdp_session(page).send("Storage.clearDataForOrigin", stored)
            page.close()
        context.clear_cookies()
        context.clear_permissions()
        context.unroute_all()
        self.free.setdefault((size, dark), []).append(context)


@pytest.fixture(scope="session")
def windows(chromium: Browser, live_server: LiveServer) -> Windows:
    return Windows(chromium, live_server)


@dataclass
class Visits:
    """Opens pages and remembers what their consoles said."""

    windows: Windows
    server: LiveServer
    said: list[str] = field(default_factory=list)
    open: list[tuple[BrowserContext, str, bool]] = field(default_factory=list)

    def __call__(
        self,
        path: str,
        *,
        size: str = "desktop",
        dark: bool = False,
        by: Staff | None = None,
        language: str = "zh-hans",
    ) -> Page:
        context = self.windows.lend(size, dark)
        self.open.append((context, size, dark))
        cookies = {settings.LANGUAGE_COOKIE_NAME: language}
        if by is not None:
            client = Client()
            client.force_login(by)
            cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": name, "value": value, "url": self.server.url} for name, value in cookies.items()])
        page = context.new_page()
        page.on("console", lambda line: self.said.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        watch(page)
        go(page, path)
        return page

    def end(self) -> None:
        said = list(self.said)  # a page that asks while its cookies are taken away is refused, and may complain of that
        for context, size, dark in self.open:
            self.windows.take_back(context, size, dark)
        assert said == [], "the browser's console complained"


@pytest.fixture
def visit(windows: Windows, live_server: LiveServer, people: Cast) -> Iterator[Callable[..., Page]]:
    visits = Visits(windows, live_server)
    yield visits
    visits.end()


@pytest.fixture
def visit_empty(windows: Windows, live_server: LiveServer, transactional_db: None) -> Iterator[Callable[..., Page]]:
    """An installation in which nobody founded a chain yet."""
    visits = Visits(windows, live_server)
    yield visits
    visits.end()
