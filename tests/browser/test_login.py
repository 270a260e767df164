"""Through the doors: a second factor set up and asked, a tablet bound and shared by PIN."""

import datetime as dt
from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import Page, expect

from changke.foundation.login.models import Device, SecondFactor
from tests.browser.audit import findings, sideways
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
SIZES = ["desktop", "phone"]


def by_password(page: Page, username: str) -> None:
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="登录").click()


def refused(visit: Visit, times: int) -> None:
    """The browser logs each refused form, and nothing besides."""
    said: list[str] = visit.said  # type: ignore[attr-defined]
    assert len(said) == times
    assert all("422" in line or "401" in line for line in said)
    said.clear()


def fits(page: Page) -> None:
    assert findings(page) == [], page.url
    assert sideways(page) == 0, page.url


def shown_by_the_phone(secret: str, *, later: int = 0) -> str:
    """`later`: a code opens once, so the next log-in takes that of the next half minute."""
    return pyotp.TOTP(secret.replace(" ", "")).at(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30 * later))


@pytest.mark.parametrize("size", SIZES)
def test_the_owner_scans_keeps_her_codes_and_is_asked_at_the_next_log_in(visit: Visit, people: Cast, size: str) -> None:
    people.chain.second_factor_required = True
    people.chain.save()
    page = visit("/customers/", size=size)
    by_password(page, "owner")
    expect(page.get_by_role("heading", name="设置两步验证")).to_be_visible()
    fits(page)
    secret = page.locator("#second-factor-key").inner_text()
    page.locator("input[name=code]").fill("000000")
    page.get_by_role("button", name="开启").click()
    expect(page.locator(".error, .notice").first).to_be_visible()
    assert page.locator("#second-factor-key").inner_text() == secret, "a wrong digit must not make her scan again"
    page.locator("input[name=code]").fill(shown_by_the_phone(secret))
    page.get_by_role("button", name="开启").click()
    expect(page.locator("#recovery-codes")).to_be_visible()
    fits(page)
    recovery = page.locator("#recovery-codes").inner_text().split()
    assert len(set(recovery)) == len(recovery) >= 8
    page.get_by_role("link", name="我已存好").click()
    page.wait_for_url("**/customers/")

    again = visit("/login/", size=size)
    by_password(again, "owner")
    expect(again.get_by_role("heading", name="手机上的验证码")).to_be_visible()
    fits(again)
    again.locator("input[name=code]").fill("123")
    again.locator("main form button.primary").click()
    expect(again.locator(".error, .notice").first).to_be_visible()
    again.locator("input[name=code]").fill(shown_by_the_phone(secret, later=1))
    again.locator("main form button.primary").click()
    again.wait_for_url(lambda url: "/login" not in url)
    refused(visit, 2)
    assert SecondFactor.objects.get().staff_id == people.owner.pk


@pytest.mark.parametrize("size", SIZES)
def test_a_tablet_is_bound_locked_and_opened_by_the_next_persons_pin(visit: Visit, people: Cast, size: str) -> None:
    page = visit("/login/?next=/devices/", size=size)
    by_password(page, "manager")
    page.goto("/devices/")
    fits(page)
    page.locator("input[name=name]").fill("前台平板")
    page.get_by_role("button", name="绑定").click()
    expect(page.get_by_text("前台平板").first).to_be_visible()
    fits(page)
    assert Device.objects.get().store_id == people.jing_an.pk

    page.goto("/me/pin/")
    fits(page)
    for name, typed in (("present", PASSWORD), ("pin", "519264"), ("again", "519264")):
        page.locator(f"input[name={name}]").fill(typed)
    with page.expect_navigation():
        page.locator("main form button.primary").click()

    page.goto("/me/")
    page.locator("main form[action='/device/lock/'] button").click()
    expect(page.get_by_role("heading", name="静安店")).to_be_visible()
    fits(page)
    page.locator(".face", has_text=people.manager.name).click()
    fits(page)
    page.locator("input[name=pin]").press_sequentially("000001")
    expect(page.locator(".error, .notice").first).to_be_visible()
    page.locator("input[name=pin]").press_sequentially("519264")
    page.wait_for_url(lambda url: "/device" not in url)
    expect(page.locator("main")).to_be_visible()
    refused(visit, 1)
