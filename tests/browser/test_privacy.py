"""Consents, her data and her own page in a real browser, in both sizes; her own page also without script."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from changke.facts.consents.rules import Channel, Purpose
from changke.facts.consents.services.links import make_link
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers.models import Customer
from changke.profiles.lifecycle.services.some import refresh_customers
from tests.browser.audit import findings, sideways
from tests.browser.waiting import go
from tests.cast import NOW, Cast

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@pytest.fixture
def shop(people: Cast) -> Cast:
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    now = timezone.now()
    state(
        [people.vera.pk],
        [(Purpose.MARKETING, Channel.SMS), (Purpose.CARE, Channel.WECHAT), (Purpose.PROFILING, Channel.NONE)],
        given=True,
        proof=Proof("counter", text_version="2026-03", evidence="F-7", staff=people.clerk, store=people.jing_an),
        source_key="form",
        happened_at=now,
        time_zone="Asia/Shanghai",
        now=now,
    )
    return people


def looks(page: Page, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
    assert findings(page) == []
    assert sideways(page) == 0


@pytest.mark.parametrize(("size", "dark", "language"), [("desktop", False, "zh-hans"), ("phone", True, "zh-hant")])
def test_the_pages_are_readable_by_everybody(visit: Visit, shop: Cast, size: str, dark: bool, language: str) -> None:
    shop.owner.language = language
    shop.owner.save()
    page = visit(f"/customers/{shop.vera.pk}/", size=size, dark=dark, by=shop.owner, language=language)
    looks(page, f"customer-{size}")
    go(page, f"/customers/{shop.vera.pk}/consents/")
    looks(page, f"consents-{size}")
    page.locator("form[action$='/own-page/'] button").first.click()
    expect(page.locator(".qr")).to_have_count(1)
    looks(page, f"qr-{size}")
    go(page, f"/customers/{shop.vera.pk}/data/")
    looks(page, f"data-{size}")


@pytest.mark.parametrize(("size", "language"), [("phone", "zh-hans"), ("desktop", "en")])
def test_she_withdraws_by_one_tap(visit: Visit, shop: Cast, size: str, language: str) -> None:
    token = make_link(shop.vera, by=None, now=timezone.now())
    page = visit(f"/m/{token}/", size=size, language=language)
    looks(page, f"member-{size}")
    taps = page.locator("button[value=withdraw]")
    expect(taps).to_have_count(3)
    taps.first.click()
    expect(taps).to_have_count(2)
    page.locator("button[value=impersonal]").click()
    expect(page.locator("button[value=personal]")).to_have_count(1)
    looks(page, f"member-done-{size}")
