"""Waiting for the thing itself, not for half a second in which the network is silent.

`settled(page)` returns once the page has loaded, no request is under way, what arrived has been painted and nothing
moves any more: a part that htmx fetches after the load is in its place, a chart is drawn, a toast has slid in.
"""

import time
from weakref import WeakKeyDictionary

from playwright.sync_api import Error, Page, Request

PATIENCE_MS = 30_000
"""How long a page may take before a test gives up: what it shows is asked here, not how fast a busy machine is."""

PAINTED = """async () => {
  const ending = (one) => Number.isFinite(Number(one.effect?.getComputedTiming().endTime));
  await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
  await Promise.all(document.getAnimations().filter(ending).map((one) => one.finished.catch(() => undefined)));
}"""
"""The next frame, and the end of every movement that ends. What an answer started in turn has begun by then."""

_under_way: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()


def watch(page: Page) -> None:
    """Count what the page asks for, from before its first address."""
    asked: set[Request] = set()
    _under_way[page] = asked
    page.on("request", lambda request: asked.add(request))
    for end in ("requestfinished", "requestfailed"):
        page.on(end, lambda request: asked.discard(request))  # type: ignore[call-overload]


def settled(page: Page) -> None:
    """Everything the page asked for is here and shown. Twice in a row, because an answer may ask for more."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    calm = 0
    while calm < 2:
        asked = _under_way[page]
        assert time.monotonic() < deadline, f"still under way: {[one.url for one in asked]}"
        page.wait_for_load_state()
        try:
            page.evaluate(PAINTED)
        except Error as left:  # for the next page, in the middle of the question
            if "context was destroyed" not in left.message:
                raise
            calm = 0
        else:
            calm = 0 if asked else calm + 1


def go(page: Page, path: str) -> None:
    """Open another address in the same window."""
    page.goto(path)
    settled(page)
