"""Every door through which a name, a phone or an address comes in, then one erasure: no column of any table holds her.

Not by foreign keys and names of columns, which `test_every_table_with_persons` goes by, but by reading everything:
text, JSON, arrays, bytes, however it is written there.
"""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import phone_of
from changke.facts.customers.services.change import change
from changke.facts.customers.services.tags import add_tag
from changke.facts.purchases.services.void import void
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.queries import verify
from changke.foundation.audit.rules import HOUSE
from changke.foundation.audit.services import record, seal
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.services import fail, open_batch
from changke.foundation.errors import Invalid, said_plainly
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.services.erase import erase
from changke.interfaces import jobs, kept_in_clear
from changke.interfaces.bulk import work as bulk
from changke.interfaces.bulk.change import Wish
from changke.interfaces.bulk.whom import Whom
from changke.interfaces.exporters.models import Export, ExportState
from changke.interfaces.exporters.searched import masked
from changke.interfaces.exporters.services import ask, run
from changke.interfaces.importers.folders import folder_of, uploads_of
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, TODAY, Cast, at, buys
from tests.interfaces.web.test_imports import check, load, signed_in, upload, work

pytestmark = pytest.mark.django_db

NAME, PHONE, EMAIL = "欧阳静怡", "13912345678", "jingyi.ouyang@example.com"
HERS = (NAME, PHONE, EMAIL)
FILE = f"""会员编号,姓名,手机号,邮箱,生日,城市,过敏史
V-1,{NAME},{PHONE},{EMAIL},1990-05-01,上海,{NAME}对花粉过敏
V-2,{NAME},{PHONE},{EMAIL},2999-01-01,上海,
V-3,王芳,{NAME},x,1990-05-01,上海,
"""


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path) -> Iterator[None]:
    kept = settings.DATA_DIR, settings.ERASED_FILE
    settings.DATA_DIR, settings.ERASED_FILE = tmp_path / "data", tmp_path / "erased.jsonl"
    yield
    settings.DATA_DIR, settings.ERASED_FILE = kept


def rows() -> Iterator[tuple[str, str]]:
    """Every row of every table as text; bytes stand in it as hex."""
    with connection.cursor() as sql:
        sql.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in sql.fetchall():
            sql.execute(f'SELECT t::text FROM "{table}" AS t')
            for (row,) in sql.fetchall():
                yield table, row


def written(text: str) -> set[str]:
    """The ways in which a text may stand in a row."""
    escaped = json.dumps(text)[1:-1]
    return {text, quote(text), escaped, escaped.replace("\\", "\\\\"), text.encode().hex()}


def where(*texts: str) -> list[tuple[str, str]]:
    """Tables that hold one of the texts, and how it stands there."""
    wanted = {way: text for text in texts for way in written(text)}
    return sorted({(table, way) for table, row in rows() for way in wanted if way in row})


def brought(client: Client) -> Batch:
    return upload(client, SimpleUploadedFile("members.csv", FILE.encode()), kind="customers")


@pytest.fixture
def jingyi(cast: Cast) -> Customer:
    """She came by a file, through the wizard, and met what customers meet: edited, tagged, exported, changed."""
    headquarters = signed_in(cast.hq)
    batch = brought(headquarters)
    check(headquarters, batch)
    assert NAME in headquarters.get(f"/imports/{batch.pk}/map/").content.decode()  # the page shows her all the same
    batch = load(headquarters, batch)
    assert (batch.status, batch.created_count, batch.refused_count) == ("done", 1, 2)
    her = Customer.objects.get(name=NAME)
    refresh_customers([her.pk], now=dt.datetime.now(dt.UTC))
    return her


def test_after_her_erasure_no_column_of_any_table_holds_her(cast: Cast, jingyi: Customer) -> None:
    headquarters = signed_in(cast.hq)
    change(jingyi.pk, {"allergies": f"{NAME}: 酒精", "city": NAME}, by=HOUSE, now=NOW)
    add_tag(jingyi, f"{NAME}的朋友", now=NOW)
    for query in (PHONE, NAME, EMAIL):
        made = ask(
            dataset="customers", format="csv", filters=urlencode({"q": query}), scope=CHAIN_WIDE, shows_phones=True,
            maker="staff:1", by=HOUSE, language="en", now=NOW,
        )  # fmt: skip
        run(made.pk, now=NOW)
        made.refresh_from_db()
        assert (made.state, made.total) == ("done", 1)
        whom = Whom.asked(urlencode({"q": query}), [], CHAIN_WIDE)
        changed = bulk.start(whom, Wish({"source": query[:2]}), by=HOUSE, created_by=None, language="en", now=NOW)
        bulk.run(changed.pk, NOW)
    bulk.undo(changed.pk, NOW)
    mistake = buys(jingyi, cast.facial, 10_000, on=TODAY, store=cast.jing_an, key="mistake")
    void(mistake.pk, scope=CHAIN_WIDE, staff=cast.clerk, by=HOUSE, reason=f"{NAME} 退错了", now=at(TODAY, 16))
    waiting = brought(headquarters)  # a second draft with her in it, looked at and left lying
    check(headquarters, waiting)
    assert NAME in headquarters.get(f"/imports/{waiting.pk}/match/").content.decode()
    broken = brought(headquarters)
    fail(broken.pk, message="OperationalError", now=NOW)
    assert where(PHONE, EMAIL) == []  # sealed from the first moment on
    assert "foundation_auditline" not in {table for table, way in where(NAME)}  # appended only: never in clear
    erase(jingyi.pk, reason="asked in the shop", by=HOUSE, now=NOW)
    assert where(*HERS) == []
    seal(now=NOW)
    assert verify().broken_count == 0


def test_the_search_finds_what_it_should_find(cast: Cast, jingyi: Customer) -> None:
    """It would see her: as she is, and in JSON, in an address, in bytes."""
    assert ("facts_customer", NAME) in where(NAME)
    batch = open_batch(
        kind="", title="", files=[], options={"a": NAME, "b": quote(NAME), "c": json.dumps(NAME)}, created_by=None,
        now=NOW,
    )  # fmt: skip
    assert {way for table, way in where(NAME) if table == "foundation_batch"} >= {NAME, quote(NAME)}
    assert phone_of(jingyi) == f"+86{PHONE}"
    Batch.objects.filter(pk=batch.pk).delete()


def test_what_waits_for_its_worker_searches_all_the_same_and_is_sealed(cast: Cast, jingyi: Customer) -> None:
    export = ask(
        dataset="customers", format="csv", filters=f"q={PHONE}&stage=intro", scope=CHAIN_WIDE, shows_phones=True,
        maker="staff:1", by=HOUSE, language="en", now=NOW,
    )  # fmt: skip
    whom = Whom.asked(urlencode({"q": NAME}), [], CHAIN_WIDE)
    batch = bulk.start(whom, Wish({"source": "x"}), by=HOUSE, created_by=None, language="en", now=NOW)
    assert where(PHONE) == []
    assert NAME not in str(batch.options)
    assert (export.filters, batch.options["whom"]["query"]) == ("q=(phone)&stage=intro", "q=(text)")
    run(export.pk, now=NOW)
    bulk.run(batch.pk, NOW)
    export.refresh_from_db()
    batch.refresh_from_db()
    assert (export.total, export.search, export.filters) == (1, "", "q=(phone)&stage=intro")
    assert (batch.updated_count, batch.options["whom"]["search"]) == (1, "")
    bulk.run(batch.pk, NOW)  # again after a kill
    batch.refresh_from_db()
    assert (batch.total, batch.updated_count) == (1, 1)
    told = {
        line.action: line.after
        for line in AuditLine.objects.filter(action__in=("export.made", "customers.bulk_edited"))
    }
    assert told["export.made"]["filters"] == "q=(phone)&stage=intro"
    assert told["customers.bulk_edited"]["filter"] == "q=(text)"


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", ""),
        ("q=13800000004", "q=(phone)"),
        ("q=%2B86 138-0000-0004&stage=lost", "q=(phone)&stage=lost"),
        ("q=0004", "q=(digits)"),
        ("q=vera@example.com", "q=(email)"),
        ("q=薇拉&tag=VIP&order=name&after=weila~3", "q=(text)&tag=VIP&order=name"),
        ("tag=13800000004", "tag=(*)"),
        ("own=nickname~薇薇", "own=nickname~(*)"),
        ("stage=薇拉&store=13800000004", "stage=(*)&store=(*)"),
        ("name=薇拉", ""),
    ],
)
def test_a_search_is_kept_by_its_kind(query: str, kept: str) -> None:
    assert masked(query) == kept
    assert masked(kept) == kept


OLD: dict[str, Any] = {
    "look": [{"path": "1.csv", "name": "", "header": ["姓名"], "first_rows": [[NAME]], "titles": [NAME]}],
    "analysis": {"check": 1, "error": "", "met": [{"samples": [{"name": NAME}]}]},
    "problems": [{
        "code": "own_choice", "rows": 1, "words": f"“{NAME}”", "example_line": 2, "example_value": NAME,
        "places": {"word": NAME, "choices": "a"},
        "examples": [{"file": "1.csv", "sheet": "", "line": 2, "column": "皮肤", "value": NAME}],
    }],
}  # fmt: skip


def test_what_former_versions_kept_is_taken_out_once(cast: Cast) -> None:
    when = {"created_at": NOW, "expires_at": NOW}
    Batch.objects.create(kind="customers", title="", status=BatchStatus.DONE, options=OLD, created_at=NOW)
    for chosen in (True, False):
        options = {"whom": {"query": f"q={quote(NAME)}", "ids": [], "stores": None}, "chosen": chosen}
        Batch.objects.create(kind=bulk.KIND, title="", status=BatchStatus.WAITING, options=options, created_at=NOW)
    for state in (ExportState.GONE, ExportState.WAITING):
        Export.objects.create(
            dataset="customers", format="csv", filters=f"q={PHONE}", maker="staff:1", state=state, language="en", **when
        )
    values = {"dataset": "customers", "rows": 7, "filters": f"q={PHONE}", "phones": True}
    record(by=HOUSE, action="export.made", subject="export:1", after=values, reason="audit", now=NOW)
    record(by=HOUSE, action="export.made", subject="export:2", after={**values, "filters": "stage=lost"}, now=NOW)
    record(by=HOUSE, action="customers.bulk_edited", subject="batch:1", after={"filter": f"q={NAME}"}, now=NOW)
    seal(now=NOW)
    assert kept_in_clear.take_out(now=NOW) == 7
    assert where(NAME, PHONE) == []
    old, again = AuditLine.objects.filter(subject="export:1").order_by("pk")
    assert (old.before, old.after, old.reason, old.salt) == (None, None, "", None)
    assert again.after == {**values, "filters": "q=(phone)", "line": old.pk, "who": old.actor_name}
    assert (again.action, again.reason) == ("audit.restated", "audit")
    assert AuditLine.objects.get(subject="export:2").after["filters"] == "stage=lost"
    seal(now=NOW)
    assert verify().broken_count == 0
    assert kept_in_clear.take_out(now=NOW) == 0
    gone, waits = Export.objects.order_by("pk")
    assert (gone.filters, gone.search) == ("q=(phone)", "")
    assert (waits.filters, bool(waits.search)) == ("q=(phone)", True)
    (kept,) = Batch.objects.filter(kind="customers")
    group = kept.options["problems"][0]
    assert (group["rows"], group["examples"][0]["column"], group["places"]) == (
        1,
        "皮肤",
        {"word": "…", "choices": "a"},
    )


def test_a_line_that_was_blanked_and_not_said_again_is_a_breach(cast: Cast) -> None:
    record(by=HOUSE, action="export.made", subject="export:1", after={"filters": "q=(phone)"}, now=NOW)
    seal(now=NOW)
    line = AuditLine.objects.get(subject="export:1")
    AuditLine.objects.filter(pk=line.pk).update(before=None, after=None, reason="", salt=None)
    assert [(one.kind, one.line) for one in verify().broken] == [("blanked", line.pk)]


def test_files_of_a_load_go_in_their_time(cast: Cast, jingyi: Customer) -> None:
    """What was uploaded goes with the load, its refused rows a month later, the files of a load that failed in two
    weeks."""
    batch = Batch.objects.get(kind="customers")
    assert not uploads_of(batch.pk).exists()
    assert {one.suffix for one in folder_of(batch).iterdir()} == {".csv", ".json"}
    headquarters = signed_in(cast.hq)
    page = headquarters.get(f"/imports/{batch.pk}/result/").content.decode()
    assert NAME in page  # what stands in the refused cell
    assert jobs.forget_results(0) == 0
    failed = brought(headquarters)
    Batch.objects.filter(pk=failed.pk).update(status=BatchStatus.FAILED)
    Batch.objects.update(finished_at=dt.datetime.now(dt.UTC) - jobs.KEEP_RESULTS)
    assert jobs.forget_results(0) == 1
    assert not folder_of(batch).exists()
    page = headquarters.get(f"/imports/{batch.pk}/result/")
    assert page.status_code == 200
    assert NAME not in page.content.decode()
    jobs.forget_drafts(0)
    assert not uploads_of(failed.pk).exists()


def test_a_draft_whose_files_are_looked_at_anew(cast: Cast) -> None:
    """After an upgrade, or where somebody deleted what lay beside the files: the page looks again."""
    headquarters = signed_in(cast.hq)
    batch = brought(headquarters)
    check(headquarters, batch)
    for left in uploads_of(batch.pk).glob("*.json"):
        left.unlink()
    assert headquarters.get(f"/imports/{batch.pk}/map/").status_code == 200
    assert headquarters.get(f"/imports/{batch.pk}/match/").status_code == 200
    assert work() == ["check_batch"]
    assert NAME in headquarters.get(f"/imports/{batch.pk}/match/").content.decode()


@pytest.mark.parametrize(
    ("message", "stays"),
    [
        (f"duplicate key value violates unique constraint\nDETAIL:  Key (name)=({NAME}) already exists.", False),
        (f'invalid input syntax for type integer: "{NAME}"', False),
        (f"Conversion Error: Could not convert string '{NAME}' to INT32", False),
        ("members.csv: 缺少列", True),
        ("OperationalError", True),
    ],
)
def test_what_a_database_quoted_when_a_batch_failed_goes(cast: Cast, message: str, *, stays: bool) -> None:
    batch = Batch.objects.create(
        kind="", title="", status=BatchStatus.FAILED, options={}, message=message, created_at=NOW
    )
    kept_in_clear.take_out(now=NOW)
    batch.refresh_from_db()
    assert batch.message == (message if stays else "DatabaseError")
    assert kept_in_clear.take_out(now=NOW) == 0


def test_an_error_that_quotes_a_cell_is_kept_by_its_kind() -> None:
    assert said_plainly(ValueError(NAME)) == "ValueError"
    assert said_plainly(Invalid(field="file", reason="is empty")) == "file: is empty"
    assert said_plainly(OSError(28, "No space left on device")) == "[Errno 28] No space left on device"
