"""Many customers at once in a real browser: ticks, before and after, the result, what an undo takes back."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from changke.facts.customers.models import Customer
from changke.profiles.lifecycle.services import refresh_customers
from tests.browser.audit import findings, sideways
from tests.browser.test_imports import worker
from tests.cast import NOW, Cast
from tests.interfaces.web.test_imports import check, csv, signed_in, upload

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
SIZES = ("desktop", "phone")


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path) -> Iterator[None]:
    kept, settings.DATA_DIR = settings.DATA_DIR, tmp_path / "data"
    yield
    settings.DATA_DIR = kept


@pytest.fixture
def computed(people: Cast) -> Cast:
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return people


def looked_at(page: Page, name: str) -> None:
    """The page holds in its width and passes the audit; `SCREENSHOTS=folder` keeps a picture of it."""
    assert sideways(page) == 0
    assert findings(page) == []
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("size", SIZES)
def test_ticked_customers_are_changed_and_the_change_is_taken_back(visit: Visit, computed: Cast, size: str) -> None:
    page = visit("/customers/", by=computed.owner, size=size)
    if size == "desktop":
        ticked = page.get_by_role("button", name="修改勾选的")
        expect(ticked).to_be_disabled()
        page.locator("input[data-pick]").first.check()
        page.locator("input[data-pick]").nth(1).check()
        expect(ticked).to_be_enabled()
        expect(ticked).to_contain_text("2")
        looked_at(page, "list")
        ticked.click()
        expect(page.get_by_text("已勾选 2 位客户")).to_be_visible()
    else:
        page.get_by_role("link", name="修改这个列表全部").click()
    page.get_by_label("标签", exact=True).fill("会员日")
    page.get_by_role("button", name="先看会怎么变").click()
    expect(page.get_by_role("heading", name="加标签“会员日”")).to_be_visible()
    looked_at(page, f"form-{size}")
    page.locator("button[name=run]").click()
    expect(page.get_by_role("heading", name="正在修改")).to_be_visible()
    worker()
    expect(page.get_by_role("link", name="下载结果")).to_be_visible()
    looked_at(page, f"result-{size}")
    page.get_by_role("link", name="撤销").click()
    expect(page.get_by_text("会撤回这些")).to_be_visible()
    looked_at(page, f"undo-{size}")


@pytest.mark.parametrize("size", SIZES)
def test_the_check_shows_known_customers_before_and_after(visit: Visit, people: Cast, size: str) -> None:
    client = signed_in(people.owner, "zh-hans")
    text = "姓名,手机号,城市,门店\n薇拉,13800000003,杭州,静安店\n别人,13800000001,苏州,静安店\n"
    batch = upload(client, csv(text, "会员.csv"), kind="customers")
    check(client, batch)
    page = visit(f"/imports/{batch.pk}/match/", by=people.owner, size=size)
    expect(page.get_by_text("已有的客户")).to_be_visible()
    looked_at(page, f"met-{size}")
