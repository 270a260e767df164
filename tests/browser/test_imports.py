"""The whole way of a file in a real browser: GBK, bad rows, the error file mended and brought back, the undo."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import Page, expect

from changke.foundation.batches.models import Batch
from tests.browser.audit import findings, sideways
from tests.browser.conftest import Visits
from tests.cast import Cast
from tests.interfaces.web.test_imports import PURCHASES, cash, check, csv, load, signed_in, upload, work

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path) -> Iterator[None]:
    kept, settings.DATA_DIR = settings.DATA_DIR, tmp_path / "data"
    yield
    settings.DATA_DIR = kept


def worker() -> None:
    """What waits is done, beside the browser: playwright's thread runs an event loop, where Django would not wait."""
    failed: list[BaseException] = []

    def do() -> None:
        try:
            work()
        except BaseException as error:  # handed over to the test below
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def bring(page: Page, file: Path) -> None:
    """From the choice of a file to its result, pressing what a person presses."""
    page.goto("/imports/new/")
    page.set_input_files("input[type=file]", file)
    expect(page.locator(".files-chosen")).to_contain_text(file.name)
    page.get_by_role("button", name="Upload and look at the columns").click()
    expect(page.get_by_role("heading", name="What the columns mean")).to_be_visible()
    page.get_by_role("button", name="Check all rows").click()
    expect(page.get_by_role("heading", name="Checking the rows")).to_be_visible()
    worker()
    expect(page.get_by_role("heading", name="This is what the files hold")).to_be_visible()
    page.get_by_role("button", name="Load 2 rows").click()
    expect(page.get_by_role("heading", name="Loading")).to_be_visible()
    worker()
    expect(page.get_by_role("heading", name="It is in")).to_be_visible()


def test_a_gbk_file_with_bad_rows_is_loaded_mended_and_taken_back(visit: Visit, people: Cast, tmp_path: Path) -> None:
    people.owner.language = "en"
    people.owner.save(update_fields=["language"])
    before = cash()
    file = tmp_path / "收银.csv"
    file.write_bytes(PURCHASES.encode("gbk"))
    page = visit("/imports/", by=people.owner, language="en")
    bring(page, file)
    expect(page.locator(".problem")).to_have_count(2)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download 2 rows").click()
    mended = tmp_path / "mended.csv"
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    mended.write_text(text.replace("2025/13/40", "2025-12-30").replace("1.39E+10", "13900000004"), encoding="utf-8-sig")

    bring(page, mended)
    expect(page.get_by_text("Every row is in")).to_be_visible()
    assert cash() - before == 28_800 * 3 + 18_800

    page.get_by_role("link", name="Undo").click()
    expect(page.get_by_role("heading", name="Take this import back?")).to_be_visible()
    page.get_by_role("button", name="Take it back").click()
    worker()
    expect(page.get_by_role("heading", name="Withdrawn")).to_be_visible()
    assert cash() - before == 28_800 + 18_800


def test_a_wrong_file_keeps_the_choice_and_says_the_remedy(visit: Visits, people: Cast, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(b"%PDF-1.7\n\x00\x01")
    page = visit("/imports/new/", by=people.owner)
    page.get_by_role("radio", name="到店").check()
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="上传并看列").click()
    expect(page.get_by_text("请导出为 CSV、XLSX 或 Parquet")).to_be_visible()
    expect(page.get_by_role("radio", name="到店")).to_be_checked()
    assert [line for line in visit.said if "422" not in line] == []
    visit.said.clear()  # chromium writes every 4xx into the console


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)])
def test_every_step_can_be_read_and_used_by_everybody(visit: Visit, people: Cast, size: str, dark: bool) -> None:
    client = signed_in(people.owner, "zh-hans")
    draft = upload(client, csv(PURCHASES, encoding="gbk"))
    check(client, draft)
    done = upload(client, csv(PURCHASES))
    check(client, done)
    load(client, done)
    assert Batch.objects.count() == 2
    paths = ["/imports/", "/imports/new/", f"/imports/{draft.pk}/map/", f"/imports/{draft.pk}/match/",
             f"/imports/{done.pk}/result/", f"/imports/{done.pk}/undo/"]  # fmt: skip
    page = visit(paths[0], size=size, dark=dark, by=people.owner)
    for path in paths:
        page.goto(path)
        assert findings(page) == [], path
        assert sideways(page) == 0, path
