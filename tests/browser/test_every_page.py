"""Every page of the staff, found in the URL configuration: it stands on both widths with nothing cut off, says nothing
raw, its console is silent; those of a layout that no other test looks at are readable by everybody; the ones that are
opened all day are light.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Error, Page, Response

from tests.browser.a_full_shop import addresses, fill
from tests.browser.audit import cut_off, findings
from tests.browser.conftest import SIZES
from tests.browser.waiting import settled
from tests.cast import NOW, Cast
from tests.clock import Clock

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]

NO_PAGE = {
    "customer-value", "find", "items-file", "record-items", "record-known-phone", "record-referrers", "segment-overlap",
    "segment-portrait", "settings-preview",
}  # fmt: skip
"""Addresses that answer GET with something else: a part that a page asks for, a file, the way to another page."""
READ_BY_EVERYBODY = {
    "advisers", "audit", "exports", "lifecycle-health", "lifecycle-model", "lifecycle-models", "lifecycle-stages",
    "number", "risk", "risk-lines", "settings-tag-need", "together", "together-seasons", "value", "value-lines",
    "value-model",
}  # fmt: skip
"""One of each layout that no other test asks axe about."""
RAW = re.compile(r"%\(\w+\)[sd]|\{\{|\{%|\bNone\b|\bundefined\b|\bNaN\b|\[object ")
LIGHT = {"today", "customers", "customer", "record", "risk", "segments", "value", "together"}
AT_MOST_BYTES = 16 * 1024
"""Of the page itself, compressed; styles and scripts are kept: the benchmark of the first load weighs them."""


def test_every_page_fits_and_is_silent(visit: Visit, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, NOW)
    fill(people)
    page = visit("/me/", by=people.owner)
    found: list[str] = []
    others = set()
    for name, path in addresses(people).items():
        answer = opened(page, path)
        status = answer.status if answer else None
        if (
            answer is None
            or not page.evaluate("!!document.doctype")
            or not page.url.split("?")[0].endswith(path.split("?")[0])
        ):
            others.add(name)
            continue
        if status != 200:
            found.append(f"{name}: {status}")
            visit.said.clear()
            continue
        if name == "risk":  # what is behind a word is looked at, too
            page.evaluate("document.querySelectorAll('main .call details').forEach(one => { one.open = true })")
        if name in LIGHT and int(answer.headers["content-length"]) > AT_MOST_BYTES:
            found.append(f"{name}: {answer.headers['content-length']} bytes")
        for size in ("desktop", "phone"):
            page.set_viewport_size(SIZES[size]["viewport"])
            found += [f"{name}, {size}: {one}" for one in cut_off(page)]
            if name in READ_BY_EVERYBODY:
                found += [f"{name}, {size}: {one}" for one in findings(page)]
        found += [f"{name}: says {one}" for one in RAW.findall(page.inner_text("body"))]
        found += [f"{name}: console: {one}" for one in visit.said]
        visit.said.clear()
        page.set_viewport_size(SIZES["desktop"]["viewport"])
    assert not found, "\n".join(found)
    assert others == NO_PAGE


def opened(page: Page, path: str) -> Response | None:
    """The answer; None of a file."""
    try:
        answer = page.goto(path)
    except Error:
        return None
    settled(page)
    return answer
