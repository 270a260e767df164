"""The import wizard through HTTP: files in, columns, check, load, result, undo. Jobs are real and run in the test."""

import datetime as dt
import io
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from openpyxl import Workbook
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.facts.catalog.models import Item
from changke.facts.consents.models import Consent
from changke.facts.customers.models import Customer, Identifier
from changke.facts.fields.models import FieldValue
from changke.facts.fields.services import define
from changke.facts.purchases.models import Receipt
from changke.facts.referrals.models import Referral
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import HOUSE
from changke.foundation.batches.models import Batch
from changke.foundation.organisation.models import Chain, Store
from changke.interfaces import jobs
from changke.interfaces.importers import beside, folders
from changke.interfaces.webhooks.models import WebhookAddress
from changke.interfaces.webhooks.services.addresses import make_address
from tests.cast import NOW, Cast

PURCHASES = """花漾 收银导出,,,,,,
单号,消费时间,门店,会员手机号,项目,实收金额,服务人员
A-1,2026-02-01 14:05,静安店,13900000001,深层补水,288.00,苏晴
A-2,2026-02-02 15:00,浦东店,13900000002,艾灸,188.00,小美
A-3,2025/13/40,静安店,13900000003,深层补水,288.00,苏晴
A-4,2026-02-03 11:00,静安店,1.39E+10,深层补水,288.00,苏晴
"""


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path) -> Iterator[None]:
    kept, settings.DATA_DIR = settings.DATA_DIR, tmp_path / "data"
    yield
    settings.DATA_DIR = kept


def signed_in(person: Staff, language: str = "en") -> Client:
    person.language = language
    person.save(update_fields=["language"])
    client = Client()
    client.force_login(person)
    return client


def csv(text: str, name: str = "sales.csv", encoding: str = "utf-8") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode(encoding))


def upload(client: Client, *files: SimpleUploadedFile, kind: str = "purchases", preset: str = "") -> Batch:
    response = client.post("/imports/new/", {"kind": kind, "preset": preset, "files": list(files)})
    assert response.status_code == 303, response.context["refused"]
    batch = Batch.objects.latest("id")
    assert response.headers["Location"] == f"/imports/{batch.pk}/map/"
    return batch


def form_of(client: Client, batch: Batch, **changes: str) -> dict[str, object]:
    """The form of the columns as the page shows it, sent back as it came."""
    page = client.get(f"/imports/{batch.pk}/map/")
    assert page.status_code == 200
    form: dict[str, object] = {
        column.key: column.field for layout in page.context["layouts"] for column in layout.columns
    }
    form["use"] = [
        f"{sheet['path']}|{sheet['name']}"
        for layout in page.context["layouts"]
        for sheet in layout.sheets
        if sheet["used"]
    ]
    form |= {
        f"store|{sheet['path']}|{sheet['name']}": sheet["store"]
        for layout in page.context["layouts"] for sheet in layout.sheets if sheet["store"]
    }  # fmt: skip
    return {**form, **changes}


def work() -> list[str]:
    """Do what waits in the queue, as the worker would; the names of the jobs."""
    done = []
    for job in ProcrastinateJob.objects.filter(status="todo").order_by("id"):
        done.append(job.task_name)
        note(job.pk, "doing")
        app.tasks[job.task_name](**job.args)
        note(job.pk, "succeeded")
    return done


def note(job: int, status: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", [status, job])


def check(client: Client, batch: Batch, **changes: str) -> None:
    response = client.post(f"/imports/{batch.pk}/map/", form_of(client, batch, **changes))
    assert response.status_code == 303, response.context["error"]
    assert work() == ["check_batch"]


def load(client: Client, batch: Batch, **matches: str) -> Batch:
    assert client.post(f"/imports/{batch.pk}/match/", matches).headers["Location"] == f"/imports/{batch.pk}/run/"
    assert work() == ["run_batch"]
    batch.refresh_from_db()
    return batch


def counts(batch: Batch) -> tuple[int, int, int, int]:
    """created, updated, skipped, refused"""
    return batch.created_count, batch.updated_count, batch.skipped_count, batch.refused_count


def cash() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(cash_minor), 0)::bigint FROM live.purchases")
        return int(cursor.fetchone()[0])


def words(response: object) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))  # type: ignore[attr-defined]


PAGES = ["/imports/", "/imports/new/", "/imports/{}/", "/imports/{}/map/", "/imports/{}/match/", "/imports/{}/run/",
         "/imports/{}/result/", "/imports/{}/errors/", "/imports/{}/undo/", "/imports/{}/row/"]  # fmt: skip


@pytest.mark.parametrize("who", ["manager", "clerk"])
def test_stores_do_not_import(cast: Cast, who: str) -> None:
    batch = upload(signed_in(cast.owner), csv(PURCHASES))
    client = signed_in(getattr(cast, who))
    for page in PAGES:
        path = page.format(batch.pk)
        assert client.get(path).status_code == 403, path
        assert client.post(path).status_code in {403, 405}, path
    assert client.post(f"/imports/{batch.pk}/discard/").status_code == 403
    assert Batch.objects.filter(pk=batch.pk).exists()


@pytest.mark.parametrize("who", ["owner", "hq"])
def test_headquarters_open_the_same_pages(cast: Cast, who: str) -> None:
    client = signed_in(getattr(cast, who))
    batch = upload(client, csv(PURCHASES))
    for page in ("/imports/", "/imports/new/", f"/imports/{batch.pk}/map/", f"/imports/{batch.pk}/row/"):
        assert client.get(page).status_code == 200


def test_the_whole_way_and_back(cast: Cast) -> None:
    client = signed_in(cast.hq)
    before, customers = cash(), Customer.objects.filter(is_active=True).count()
    batch = upload(client, csv(PURCHASES, encoding="gbk"))

    page = client.get(f"/imports/{batch.pk}/map/")
    assert "1 title row skipped" in words(page)
    assert "GBK" in words(page)
    assert "13900000001" in words(page)
    check(client, batch)

    page = client.get(f"/imports/{batch.pk}/match/")
    assert (page.context["total"], page.context["refused"]) == (4, 2)
    assert {each["code"] for each in page.context["problems"]} == {"date_impossible", "phone_rounded"}
    assert {(row["word"], group["what"]) for group in page.context["unknown"] for row in group["rows"]} == {
        ("浦东店", "store"), ("小美", "staff"), ("艾灸", "item"),
    }  # fmt: skip

    load(client, batch)
    assert counts(batch) == (2, 0, 0, 2)
    assert cash() - before == 28_800 + 18_800
    assert Store.objects.filter(name="浦东店").exists()
    assert not (settings.DATA_DIR / "uploads" / str(batch.pk)).exists()

    page = client.get(f"/imports/{batch.pk}/result/")
    assert "there is no such day or time" in words(page).lower()
    assert "row 5" in words(page)
    errors = b"".join(client.get(f"/imports/{batch.pk}/errors/").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert "2025/13/40" in errors

    page = client.get(f"/imports/{batch.pk}/undo/")
    assert (page.context["leaving"].receipts, page.context["leaving"].customers) == (2, 2)
    assert page.context["leaving"].cash_minor == 28_800 + 18_800
    assert client.post(f"/imports/{batch.pk}/undo/").status_code == 303
    assert "leaving every number" in words(client.get(f"/imports/{batch.pk}/result/"))
    assert work() == ["undo_batch"]
    batch.refresh_from_db()
    assert batch.status == "withdrawn"
    assert cash() == before
    assert Customer.objects.filter(is_active=True).count() == customers
    assert "nothing is deleted" in words(client.get(f"/imports/{batch.pk}/result/"))


def test_the_mended_error_file_brings_in_the_rest(cast: Cast) -> None:
    client = signed_in(cast.hq)
    batch = upload(client, csv(PURCHASES))
    check(client, batch)
    load(client, batch)
    errors = b"".join(client.get(f"/imports/{batch.pk}/errors/").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    head, *rows = errors.splitlines()
    mended = "\n".join([head, *rows]).replace("2025/13/40", "2025-12-30").replace("1.39E+10", "13900000004")
    again = upload(client, csv(mended, "errors.csv"))
    check(client, again)
    assert counts(load(client, again)) == (2, 0, 0, 0)


def test_the_same_file_twice_changes_nothing(cast: Cast) -> None:
    client = signed_in(cast.hq)
    for expected in ((2, 0, 0, 2), (0, 0, 2, 2)):
        batch = upload(client, csv(PURCHASES))
        check(client, batch)
        assert counts(load(client, batch)) == expected


def test_a_double_click_runs_once(cast: Cast) -> None:
    client = signed_in(cast.hq)
    batch = upload(client, csv(PURCHASES))
    check(client, batch)
    for _ in range(2):
        assert client.post(f"/imports/{batch.pk}/match/").status_code == 303
    assert ProcrastinateJob.objects.filter(task_name="run_batch").count() == 1
    work()
    for _ in range(2):
        assert client.post(f"/imports/{batch.pk}/undo/").status_code == 303
    assert ProcrastinateJob.objects.filter(task_name="undo_batch").count() == 1


def test_a_job_given_back_after_a_kill_finishes_the_load(cast: Cast) -> None:
    client = signed_in(cast.hq)
    batch = upload(client, csv(PURCHASES))
    check(client, batch)
    client.post(f"/imports/{batch.pk}/match/")
    Batch.objects.filter(pk=batch.pk).update(status="running")  # what a killed worker leaves behind
    jobs.run_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.status, counts(batch)) == ("done", (2, 0, 0, 2))
    jobs.run_batch(batch.pk)  # and given back once more, though it had finished
    batch.refresh_from_db()
    assert counts(batch) == (2, 0, 0, 2)


def test_names_are_matched_with_ours(cast: Cast) -> None:
    client = signed_in(cast.hq)
    batch = upload(client, csv(PURCHASES))
    check(client, batch)
    page = client.get(f"/imports/{batch.pk}/match/")
    keys = {row["word"]: row["key"] for group in page.context["unknown"] for row in group["rows"]}
    refused = client.post(f"/imports/{batch.pk}/match/", {keys["艾灸"]: "没有的项目", keys["浦东店"]: "XH"})
    assert refused.status_code == 422
    assert "没有的项目" in refused.content.decode()  # what was typed stays
    load(client, batch, **{keys["浦东店"]: "XH", keys["小美"]: "clerk", keys["艾灸"]: "F1"})
    assert not Store.objects.filter(name="浦东店").exists()
    assert not Item.objects.filter(name="艾灸").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT store_id, staff_id FROM facts_receipt WHERE number = 'A-2'")
        assert cursor.fetchone() == (cast.xu_hui.pk, cast.clerk.pk)


def test_what_a_new_item_is_may_be_said(cast: Cast) -> None:
    client = signed_in(cast.hq)
    head = "单号,消费时间,会员手机号,类型,项目,实收金额\n"
    rows = ["办卡,年度通,1980", "消费,美白十次卡,980", "消费,艾灸,188", "消费,精油,98"]
    text = head + "".join(f"B-{place},2026-02-01,13900000001,{row}\n" for place, row in enumerate(rows))
    batch = upload(client, csv(text))
    check(client, batch, **{"store|1.csv|": "JA"})
    (group,) = client.get(f"/imports/{batch.pk}/match/").context["unknown"]
    keys = {row["word"]: row["kind_key"] for row in group["rows"]}
    proposed = {row["word"]: row["kind"] for row in group["rows"]}
    assert proposed == {"年度通": "card", "美白十次卡": "card", "艾灸": "other", "精油": "other"}
    said = {keys[word]: kind for word, kind in proposed.items()} | {keys["艾灸"]: "service", keys["精油"]: "product"}
    refused = client.post(f"/imports/{batch.pk}/match/", said | {group["rows"][0]["key"]: "没有的项目"})
    (again,) = refused.context["unknown"]
    assert {row["kind_key"]: row["kind"] for row in again["rows"]} == said, "what was chosen stays"
    load(client, batch, **(said | {keys["精油"]: "no kind at all"}))
    created = dict(Item.objects.filter(name__in=proposed).values_list("name", "kind"))
    assert created == {"年度通": "card", "美白十次卡": "card", "艾灸": "service", "精油": "other"}
    assert sum(Receipt.objects.filter(batch=batch).values_list("consumed_minor", flat=True)) == 28_600


def test_columns_chosen_by_hand_are_remembered(cast: Cast) -> None:
    client = signed_in(cast.hq)
    strange = "wann,wo,wer,wieviel\n2026-02-01,JA,13900000009,12.50\n"
    batch = upload(client, csv(strange))
    form = form_of(client, batch)
    assert client.post(f"/imports/{batch.pk}/map/", form).status_code == 422  # needed columns are missing
    check(client, batch, g0c0="happened", g0c1="store", g0c2="phone", g0c3="amount")
    assert counts(load(client, batch)) == (1, 0, 0, 0)
    again = upload(client, csv(strange.replace("12.50", "13.50")))
    page = client.get(f"/imports/{again.pk}/map/")
    assert page.context["origins"] == {"remembered"}
    assert form_of(client, again)["g0c3"] == "amount"


def test_own_fields_and_consents_go_through_the_page_and_back(cast: Cast) -> None:
    define(key="skin", kind="choice", labels={"zh-hans": "肤质", "en": "Skin"}, choices=["干性", "油性"], now=NOW)
    client = signed_in(cast.owner)
    first = upload(client, csv("会员号,姓名,肤质\nK1,张三,干性\nK2,李四,\n", "members.csv"), kind="customers")
    page = client.get(f"/imports/{first.pk}/map/").content.decode()
    assert "Fields of your own" in page
    assert "What she agreed to" in page
    assert re.search(r'<option value="own_skin" selected>\s*Skin', page)
    check(client, first)
    assert counts(load(client, first)) == (2, 0, 0, 0)

    text = "会员号,她的皮肤,短信营销同意\nK1,油性,是\nK2,中性,是\n"
    batch = upload(client, csv(text, "members.csv"), kind="customers")
    columns = client.get(f"/imports/{batch.pk}/map/").context["layouts"][0].columns
    check(client, batch, **{columns[1].key: "own_skin"})
    page = client.get(f"/imports/{batch.pk}/match/").content.decode()
    assert "Skin" in page
    assert "Offers · SMS" in page
    assert "“中性” is not one of the choices" in page
    assert "Write one of: 干性、油性" in page
    assert counts(load(client, batch)) == (0, 1, 0, 1)
    page = client.get(f"/imports/{batch.pk}/result/").content.decode()
    assert "Customers with changed own fields" in page
    assert "Consents given" in page

    again = upload(client, csv(text.replace("油性", "干性"), "members.csv"), kind="customers")
    assert client.get(f"/imports/{again.pk}/map/").context["layouts"][0].mapping["own_skin"] == "她的皮肤"
    page = client.get(f"/imports/{batch.pk}/undo/").content.decode()
    assert "Customers with changed own fields" in page
    assert "Consents and refusals" in page
    client.post(f"/imports/{batch.pk}/undo/")
    assert work() == ["undo_batch"]
    assert list(FieldValue.objects.exclude(text=None).values_list("text", flat=True)) == ["干性"]
    assert not Consent.objects.filter(withdrawn_by=None).exists()


def test_the_check_says_how_many_referrals_come_in_and_how_many_name_nobody(cast: Cast) -> None:
    client = signed_in(cast.owner)
    text = "会员号,姓名,介绍人\nK1,张三,K2\nK2,李四,13800000003\nK3,王五,赵六\nK4,孙七,K4\nK5,周八,\n"
    batch = upload(client, csv(text, "members.csv"), kind="customers")
    check(client, batch)
    page = words(client.get(f"/imports/{batch.pk}/match/"))
    assert "2 referrals come in" in page, "of somebody in the file, and of Vera, who is known"
    assert "1 names nobody who is known here or in the files" in page
    assert "1 names herself" in page
    assert "a name is not enough" in page
    assert "overrule" not in page, "nothing is said of what there is none of"
    cast.owner.language = "zh-hans"
    cast.owner.save(update_fields=["language"])
    assert "将登记 2 条转介绍" in words(client.get(f"/imports/{batch.pk}/match/"))
    batch.refresh_from_db()
    kept = beside.taken(folders.analysis_of(batch.pk, batch.options["check"]))["referrals"]
    assert kept == {"named": 2, "same": 0, "stays": 0, "impossible": 1, "unknown": 1}, "numbers, no names"
    load(client, batch)
    assert Referral.objects.filter(batch_id=batch.pk).count() == 2


def test_a_file_that_names_no_referrer_has_no_card_of_referrals(cast: Cast) -> None:
    client = signed_in(cast.owner)
    batch = upload(client, csv("会员号,姓名,介绍人\nK1,张三,\n", "members.csv"), kind="customers")
    check(client, batch)
    assert "Who brought whom" not in words(client.get(f"/imports/{batch.pk}/match/"))


def test_two_columns_cannot_mean_the_same(cast: Cast) -> None:
    client = signed_in(cast.hq)
    batch = upload(client, csv(PURCHASES))
    refused = client.post(f"/imports/{batch.pk}/map/", form_of(client, batch, g0c0="amount"))
    assert refused.status_code == 422
    assert "already means this" in words(refused)
    assert not ProcrastinateJob.objects.exists()


def test_a_file_without_stores_asks_for_one(cast: Cast) -> None:
    client = signed_in(cast.hq)
    batch = upload(client, csv("日期,手机号,金额\n2026-02-01,13900000009,12.50\n"))
    assert client.post(f"/imports/{batch.pk}/map/", form_of(client, batch)).status_code == 422
    check(client, batch, **{"store|1.csv|": "XH"})
    assert counts(load(client, batch)) == (1, 0, 0, 0)


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "remedy"),
    [
        ("report.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n\x00\x01\x02", "Export"),
        ("empty.csv", b"", "Export it again"),
        ("numbers.csv", b"1,2\n3,4\n", "no row of column names"),
        ("page.xls", b"<html><table></table></html>", "save it as XLSX"),
        ("cut.xlsx", b"PK\x03\x04 cut off", "Export or download it again"),
        ("bomb.xlsx", bomb(), "not opened"),
        ("noise.csv", b"a,b\n" + b"\xff\xfe\xfd\x80" * 8 + b",1\n" + b"\xff\xff,2\n", "UTF-8"),
    ],
)
def test_a_wrong_file_is_named_with_its_remedy_and_the_input_stays(
    cast: Cast, name: str, content: bytes, remedy: str
) -> None:
    client = signed_in(cast.hq)
    form = {"kind": "visits", "preset": "", "files": [SimpleUploadedFile(name, content)]}
    response = client.post("/imports/new/", form)
    assert response.status_code == 422
    assert name in words(response)
    assert remedy in words(response)
    assert re.search(r'value="visits" checked', response.content.decode())
    assert not Batch.objects.exists()
    assert [path for path in (settings.DATA_DIR / "uploads").rglob("*") if path.is_file()] == []


def test_a_wrong_file_among_good_ones_does_not_stop_them(cast: Cast) -> None:
    client = signed_in(cast.hq)
    batch = upload(client, csv(PURCHASES), SimpleUploadedFile("report.pdf", b"%PDF-1.7\n\x00"))
    assert "report.pdf" in words(client.get(f"/imports/{batch.pk}/map/"))
    assert len(batch.files) == 1


def test_a_file_above_the_limit_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "UPLOAD_LIMIT_BYTES", 1024)
    response = signed_in(cast.hq).post("/imports/new/", {"kind": "visits", "files": [csv("x" * 200_000, "large.csv")]})
    assert response.status_code == 422
    assert "large.csv" in words(response)
    assert [path for path in (settings.DATA_DIR / "uploads").rglob("*") if path.is_file()] == []


def test_what_a_stranger_sends_is_never_written(cast: Cast) -> None:
    answer = Client().post("/imports/new/", {"kind": "purchases", "files": [csv(PURCHASES)]})
    assert answer.status_code in (302, 403)
    assert not Batch.objects.exists()
    assert not [each for each in Path(settings.DATA_DIR).rglob("*") if each.is_file()]


def test_a_name_is_never_a_path(cast: Cast) -> None:
    batch = upload(signed_in(cast.hq), csv(PURCHASES, "..\\..\\evil name.csv"))
    folder = (settings.DATA_DIR / "uploads" / str(batch.pk)).resolve()
    assert [Path(file["path"]).resolve().parent for file in batch.files] == [folder]


def test_the_error_file_of_elsewhere_is_not_handed_out(cast: Cast, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("x")
    batch = Batch.objects.create(
        kind="purchases",
        title="x",
        status="done",
        error_file=str(secret),
        created_at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
    )
    assert signed_in(cast.owner).get(f"/imports/{batch.pk}/errors/").status_code == 404


def test_a_load_that_fails_says_why_and_can_be_tried_again(cast: Cast) -> None:
    client = signed_in(cast.hq)
    batch = upload(client, csv(PURCHASES))
    check(client, batch)
    held = Path(batch.files[0]["path"]).rename(settings.DATA_DIR / "held")
    load(client, batch)
    assert batch.status == "failed"
    assert "cannot be opened" in words(client.get(f"/imports/{batch.pk}/result/"))
    held.rename(Path(batch.files[0]["path"]))
    assert client.post(f"/imports/{batch.pk}/run/").status_code == 303
    work()
    batch.refresh_from_db()
    assert (batch.status, counts(batch)) == ("done", (2, 0, 0, 2))


def test_a_draft_is_discarded_with_its_files(cast: Cast) -> None:
    client = signed_in(cast.hq)
    batch = upload(client, csv(PURCHASES))
    assert client.post(f"/imports/{batch.pk}/discard/").status_code == 303
    assert not Batch.objects.exists()
    assert not (settings.DATA_DIR / "uploads" / str(batch.pk)).exists()


def test_an_old_draft_is_forgotten_with_its_files(cast: Cast) -> None:
    client = signed_in(cast.hq)
    old, young = upload(client, csv(PURCHASES)), upload(client, csv(PURCHASES))
    Batch.objects.filter(pk=old.pk).update(created_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=15))
    assert jobs.forget_drafts(0) == 1
    assert [batch.pk for batch in Batch.objects.all()] == [young.pk]
    assert not (settings.DATA_DIR / "uploads" / str(old.pk)).exists()
    assert (settings.DATA_DIR / "uploads" / str(young.pk)).exists()


def test_progress_is_polled_and_ends_at_the_result(cast: Cast) -> None:
    client = signed_in(cast.hq)
    batch = upload(client, csv(PURCHASES))
    check(client, batch)
    client.post(f"/imports/{batch.pk}/match/")
    Batch.objects.filter(pk=batch.pk).update(status="running", total=4000, done=1000)
    first = client.get(f"/imports/{batch.pk}/run/", headers={"HX-Request": "true"})
    assert "left" not in words(first)  # one look knows no pace
    ten_seconds_ago = int(dt.datetime.now(dt.UTC).timestamp()) - 10
    part = client.get(f"/imports/{batch.pk}/run/?mark=500@{ten_seconds_ago}", headers={"HX-Request": "true"})
    assert "1,000 of 4,000 rows" in words(part)
    assert "seconds left" in words(part)
    assert "<html" not in part.content.decode()
    work()
    done = client.get(f"/imports/{batch.pk}/run/", headers={"HX-Request": "true"})
    assert done.headers["HX-Redirect"] == f"/imports/{batch.pk}/result/"


@pytest.mark.parametrize(("sample", "refused"), [("customers", 0), ("purchases", 0), ("month", 2)])
def test_the_samples_of_the_product_go_in(cast: Cast, sample: str, refused: int) -> None:
    """The month of a store ends each sheet with its total, which is no purchase."""
    client = signed_in(cast.owner)
    assert client.post(f"/imports/samples/{sample}/").status_code == 303
    batch = Batch.objects.latest("id")
    check(client, batch)
    load(client, batch)
    assert batch.status == "done"
    assert batch.created_count > 30
    assert batch.refused_count == refused, batch.options["problems"]


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_every_page_speaks(cast: Cast, language: str) -> None:
    client = signed_in(cast.owner, language)
    batch = upload(client, csv(PURCHASES))
    check(client, batch)
    for page in ("/imports/new/", f"/imports/{batch.pk}/map/", f"/imports/{batch.pk}/match/"):
        assert client.get(page).status_code == 200
    load(client, batch)
    for page in ("/imports/", f"/imports/{batch.pk}/result/", f"/imports/{batch.pk}/undo/"):
        assert client.get(page).status_code == 200


DATA = Path(os.environ.get("CHANGKE_DATA") or Path(settings.CHECKOUT).parent / "shared" / "data")
CDNOW = DATA / "cdnow" / "cdnow_master.parquet"


@pytest.mark.skipif(not CDNOW.is_file(), reason="the folder of real data sets is absent")
def test_cdnow_goes_through_the_page(cast: Cast) -> None:
    client = signed_in(cast.owner)
    before = cash()
    Chain.objects.update(currency="CNY")
    batch = upload(client, SimpleUploadedFile(CDNOW.name, CDNOW.read_bytes()), preset="cdnow")
    form = form_of(client, batch)
    assert client.post(f"/imports/{batch.pk}/map/", form).status_code == 422  # dollars: somebody has to say yes
    check(client, batch, accept_currency="1")
    page = client.get(f"/imports/{batch.pk}/match/")
    assert (page.context["usable"], page.context["unknown"]) == (69_659, [])
    load(client, batch)
    assert (batch.total, batch.created_count, batch.refused_count) == (69_659, 69_659, 0)
    assert cash() > before
    client.post(f"/imports/{batch.pk}/undo/")
    work()
    assert cash() == before


def test_the_daughter_is_written_down_beside_her_mother_where_the_wizard_is_told_so(cast: Cast) -> None:
    client = signed_in(cast.hq)
    batch = upload(client, csv("姓名,手机号,城市\n小莹,13800000001,苏州\n", "members.csv"), kind="customers")
    check(client, batch)
    page = client.get(f"/imports/{batch.pk}/match/").content.decode()
    choices = {
        name: re.findall(r'<option value="(\w+)"', page.partition(f'name="{name}"')[2].partition("</select>")[0])
        for name in ("known-", "known-phone_other_name")
    }
    assert "another" in choices["known-phone_other_name"]
    assert "another" not in choices["known-"]
    # For everybody it is no answer: the row is updated as ever.
    loaded = load(client, batch, **{"known-": "another", "known-phone_other_name": "another"})
    assert counts(loaded) == (1, 0, 0, 0)
    assert Batch.objects.get(pk=batch.pk).options["decisions"] == {"phone_other_name": "another"}
    assert set(Customer.objects.filter(name__in=["莹莹", "小莹"]).values_list("name", "city")) == {
        ("莹莹", cast.ying.city),
        ("小莹", "苏州"),
    }


def test_a_card_and_a_union_id_are_columns_of_the_wizard(cast: Cast) -> None:
    client = signed_in(cast.hq)
    text = "会员编号,姓名,实体卡号,UnionID\nK1,阿一,VIP-1,oU-11112\nK2,阿二,VIP-1,\nK3,阿三,VIP-3,\n"
    batch = upload(client, csv(text, "members.csv"), kind="customers")
    form = form_of(client, batch)
    assert (form["g0c2"], form["g0c3"]) == ("member_card", "union_id")
    check(client, batch)
    assert "VIP-1" in client.get(f"/imports/{batch.pk}/match/").content.decode()
    assert counts(load(client, batch)) == (1, 0, 0, 2)
    assert set(Identifier.objects.filter(kind="card").values_list("value", flat=True)) == {"VIP-3"}


SHOPIFY = Path(__file__).parents[1] / "importers" / "samples" / "shopify" / "orders_export.csv"


def web_shop(name: str) -> WebhookAddress:
    return make_address(source="shopify", name=name, secret="s" * 32, created_by=None, by=HOUSE, now=NOW)[0]


def online(client: Client, batch: Batch) -> dict[str, str]:
    """Orders of the web name no store: they belong to one of ours."""
    (layout,) = client.get(f"/imports/{batch.pk}/map/").context["layouts"]
    assert layout.names_store
    return {f"store|{layout.sheets[0]['path']}|": "JA"}


def test_rows_that_name_no_store_belong_to_the_one_that_is_chosen(cast: Cast) -> None:
    client = signed_in(cast.owner)
    some = PURCHASES.replace("浦东店", "").replace("A-3,2025/13/40", "A-3,2026-02-05")
    batch = upload(client, csv(some))
    page = client.get(f"/imports/{batch.pk}/map/")
    assert "Rows that name no store belong to" in words(page)
    (sheet,) = page.context["layouts"][0].sheets
    assert sheet["store"] == ""
    check(client, batch, **{f"store|{sheet['path']}|": "XH"})
    assert counts(load(client, batch)) == (3, 0, 0, 1)
    stores = dict(Receipt.objects.filter(batch=batch).values_list("number", "store__code"))
    assert stores == {"A-1": "JA", "A-2": "XH", "A-3": "JA"}


def test_a_store_that_is_called_as_the_sheet_stays_chosen(cast: Cast) -> None:
    client = signed_in(cast.owner)
    book, rows = Workbook(), [line.split(",") for line in PURCHASES.replace("浦东店", "").splitlines()[1:]]
    for name in ("JA", "XH"):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    file = io.BytesIO()
    book.save(file)
    batch = upload(client, SimpleUploadedFile("sales.xlsx", file.getvalue()))
    check(client, batch, **{"store|1.xlsx|JA": "JA", "store|1.xlsx|XH": "JA"})
    shown = client.get(f"/imports/{batch.pk}/map/").context["layouts"][0].sheets
    assert [(sheet["name"], sheet["store"]) for sheet in shown] == [("JA", "JA"), ("XH", "JA")]


def test_rows_that_name_no_store_are_refused_where_none_is_chosen(cast: Cast) -> None:
    client = signed_in(cast.owner)
    batch = upload(client, csv(PURCHASES.replace("浦东店", "")))
    check(client, batch)
    codes = {each["code"] for each in client.get(f"/imports/{batch.pk}/match/").context["problems"]}
    assert "store_missing" in codes


def test_with_several_web_shops_the_orders_are_not_taken_before_somebody_says_whose_they_are(cast: Cast) -> None:
    web_shop("城里店")
    seaside = web_shop("海边店")
    client = signed_in(cast.owner)
    batch = upload(client, SimpleUploadedFile("orders_export.csv", SHOPIFY.read_bytes()))
    page = client.get(f"/imports/{batch.pk}/map/")
    assert [name for _, name in page.context["shops"]] == ["城里店", "海边店"]
    refused = client.post(f"/imports/{batch.pk}/map/", form_of(client, batch))
    assert "Say which shop these orders are of" in words(refused)
    assert work() == []
    check(client, batch, source=seaside.receipt_source, **online(client, batch))
    assert load(client, batch).created_count == 5
    assert {*Receipt.objects.filter(number="#1001").values_list("source", flat=True)} == {seaside.receipt_source}


def test_with_one_web_shop_nobody_is_asked_and_a_name_may_be_given(cast: Cast) -> None:
    web_shop("城里店")
    client = signed_in(cast.owner)
    batch = upload(client, SimpleUploadedFile("orders_export.csv", SHOPIFY.read_bytes()))
    assert client.get(f"/imports/{batch.pk}/map/").context["shops"] == []
    check(client, batch, source="old shop", **online(client, batch))
    load(client, batch)
    assert {*Receipt.objects.filter(number="#1001").values_list("source", flat=True)} == {"old shop"}
