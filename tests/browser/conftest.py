"""The pages in a real browser: Debian's chromium, driven by Playwright, against a live server with the cast's chain.

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
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from changke.foundation.access.models import Staff
from tests.cast import Cast, assemble

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 30_000
"""How long a page may take before a test gives up: what it shows is asked here, not how fast a busy machine is."""
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
        pytest.skip("no chromium here: apt install chromium fonts-noto-cjk")
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
class Visits:
    """Opens pages and remembers what their consoles said."""

    browser: Browser
    server: LiveServer
    said: list[str] = field(default_factory=list)
    open: list[Any] = field(default_factory=list)

    def __call__(
        self,
        path: str,
        *,
        size: str = "desktop",
        dark: bool = False,
        by: Staff | None = None,
        language: str = "zh-hans",
    ) -> Page:
        context = self.browser.new_context(
            **SIZES[size], locale="zh-CN", color_scheme="dark" if dark else "light", base_url=self.server.url
        )
        context.set_default_timeout(PATIENCE_MS)
        self.open.append(context)
        cookies = {settings.LANGUAGE_COOKIE_NAME: language}
        if by is not None:
            client = Client()
            client.force_login(by)
            cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": name, "value": value, "url": self.server.url} for name, value in cookies.items()])
        page = context.new_page()
        page.on("console", lambda line: self.said.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.goto(path, wait_until="networkidle")
        return page


@pytest.fixture
def visit(chromium: Browser, live_server: LiveServer, people: Cast) -> Iterator[Callable[..., Page]]:
    visits = Visits(chromium, live_server)
    yield visits
    for context in visits.open:
        context.close()
    assert visits.said == [], "the browser's console complained"


@pytest.fixture
def visit_empty(chromium: Browser, live_server: LiveServer, transactional_db: None) -> Iterator[Callable[..., Page]]:
    """An installation in which nobody founded a chain yet."""
    visits = Visits(chromium, live_server)
    yield visits
    for context in visits.open:
        context.close()
    assert visits.said == [], "the browser's console complained"
