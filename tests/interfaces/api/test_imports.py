"""A file goes in over the API as it does on the page: brought, understood, checked, loaded, taken back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from changke.facts.customers.models import Customer
from changke.facts.fields.services import define
from changke.facts.purchases.models import Receipt
from changke.foundation.audit.models import AuditLine
from changke.foundation.batches.models import Batch
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller, Files
from tests.interfaces.web.test_imports import PURCHASES, _own_data_folder, cash, signed_in, upload, work
from tests.interfaces.web.test_imports import csv as a_file

__all__ = ["_own_data_folder"]

pytestmark = pytest.mark.django_db


def bring(
    caller: Caller, text: str = PURCHASES, *, name: str = "sales.csv", encoding: str = "utf-8", **said: str
) -> Any:
    return caller.post("/imports", Files({name: text.encode(encoding)}, said))


def checked(caller: Caller, number: int, **said: Any) -> dict[str, Any]:
    answer = caller.send("PUT", f"/imports/{number}/columns", said)
    assert answer.status_code == 202, answer.content
    assert caller.get(f"/imports/{number}/check").json()["state"] == "running"
    assert work() == ["check_batch"]
    return dict(caller.get(f"/imports/{number}/check").json())


def loaded(caller: Caller, number: int, **said: Any) -> dict[str, Any]:
    answer = caller.post(f"/imports/{number}/load", said)
    assert answer.status_code == 202, answer.content
    assert answer.json()["status"] == "waiting"
    assert work() == ["run_batch"]
    return dict(caller.get(f"/imports/{number}").json())


def test_the_whole_way_and_back(hq: Caller, cast: Cast) -> None:
    before, receipts = cash(), Receipt.objects.count()
    answer = bring(hq, encoding="gbk")
    assert answer.status_code == 201, answer.content
    draft = answer.json()
    number, [sheet] = draft["id"], draft["sheets"]
    assert (draft["status"], draft["kind"], draft["check"]) == ("draft", "purchases", "none")
    assert (sheet["encoding"], sheet["delimiter"], sheet["missing"]) == ("gb18030", ",", [])
    meant = {one["field"]: one["name"] for one in sheet["columns"]}
    assert meant["phone"] == "会员手机号"
    assert "13900000001" not in answer.content.decode(), "answers to writes are kept; no row of a file stands in them"
    [sheet] = hq.get(f"/imports/{number}").json()["sheets"]
    assert sheet["first_rows"][0][3] == "13900000001"
    assert "13900000001" in next(one["samples"] for one in sheet["columns"] if one["field"] == "phone")

    found = checked(hq, number)
    assert (found["state"], found["total"], found["refused"]) == ("done", 4, 2)
    assert [one["rows"] for one in found["problems"]] == [1, 1]
    assert {(one["what"], one["word"]) for one in found["unknown"]} >= {("store", "浦东店"), ("item", "艾灸")}
    assert Receipt.objects.count() == receipts, "a check writes nothing"

    done = loaded(
        hq, number, matches={"store": {"浦东店": "XH"}}, kinds={"艾灸": "service"}, decisions={"all": "merge"}
    )
    assert (done["status"], done["created"], done["refused"], done["total"]) == ("done", 2, 2, 4)
    assert done["has_errors"]
    assert [one["rows"] for one in done["problems"]] == [1, 1]
    assert cash() - before == 28_800 + 18_800
    mended = b"".join(hq.get(f"/imports/{number}/errors").streaming_content).decode("utf-8-sig")
    assert [number in mended for number in ("A-1", "A-3", "A-4")] == [False, True, True]
    assert hq.get(f"/imports/{number}/kept").status_code == 404
    assert number in [one["id"] for one in hq.get("/imports").json()["items"]]
    line = AuditLine.objects.get(action="batch.run")
    assert (line.actor_kind, line.actor_name[:2]) == ("key", "hq")

    going = {one["code"]: one["count"] for one in hq.get(f"/batches/{number}/undo").json()["goes"]}
    assert going["receipts"] == 2
    assert hq.post(f"/batches/{number}/undo", {}).status_code == 202
    assert work() == ["undo_batch"]
    assert (hq.get(f"/imports/{number}").json()["status"], cash()) == ("withdrawn", before)


def test_columns_are_said_by_the_caller(hq: Caller, cast: Cast) -> None:
    draft = bring(hq, "甲,乙,丙,丁\nQ-1,2026-02-01 14:05,13900000001,288\n", kind="purchases").json()
    [sheet] = draft["sheets"] or [{}]
    assert sheet["missing"], "nobody can guess these"
    refused = hq.send("PUT", f"/imports/{draft['id']}/columns", {})
    assert (refused.status_code, refused.json()["code"]) == (422, "columns_unclear")
    columns = {"number": "甲", "happened": "乙", "phone": "丙", "amount": "丁"}
    found = checked(hq, draft["id"], sheets=[{"sheet": sheet["key"], "columns": columns, "store": "JA"}])
    assert (found["total"], found["refused"]) == (1, 0)
    assert loaded(hq, draft["id"])["created"] == 1
    assert Receipt.objects.get(number="Q-1").store == cast.jing_an


@pytest.mark.parametrize(
    ("sheets", "field"),
    [
        ([{"sheet": "9.csv|no"}], "sheets[0].sheet"),
        ([{"columns": {"soul": "单号"}}], "sheets[0].columns.soul"),
        ([{"columns": {"number": "no such"}}], "sheets[0].columns.number"),
        ([{"columns": {"number": "单号", "amount": "单号"}}], "sheets[0].columns.amount"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_place(
    hq: Caller, cast: Cast, sheets: list[dict[str, Any]], field: str
) -> None:
    draft = bring(hq).json()
    told = [{"sheet": draft["sheets"][0]["key"]} | one for one in sheets]
    answer = hq.send("PUT", f"/imports/{draft['id']}/columns", {"sheets": told})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert hq.get(f"/imports/{draft['id']}").json()["check"] == "none"


def test_a_file_is_read_again_as_another_kind(hq: Caller, cast: Cast) -> None:
    draft = bring(hq).json()
    assert hq.post(f"/imports/{draft['id']}/look", {"kind": "visits"}).json()["kind"] == "visits"
    answer = hq.post(f"/imports/{draft['id']}/look", {"encoding": "utf-16"})
    assert (answer.status_code, answer.json()["code"]) == (422, "files_unusable")
    assert hq.get(f"/imports/{draft['id']}").json()["kind"] == "visits"


def test_only_what_was_checked_is_loaded_and_only_once(hq: Caller, cast: Cast) -> None:
    number = bring(hq).json()["id"]

    def refusal(path: str, body: object, method: str = "POST") -> str:
        answer = hq.send(method, f"/imports/{number}{path}", body)
        assert answer.status_code in {409, 422}, answer.content
        return str(answer.json()["code"])

    assert refusal("/load", {}) == "import_not_checked"
    checked(hq, number)
    assert refusal("/load", {"matches": {"store": {"火星店": "JA"}}}) == "invalid"
    assert refusal("/load", {"matches": {"store": {"浦东店": "nowhere"}}}) == "invalid"
    assert refusal("/load", {"kinds": {"火星": "card"}}) == "invalid"
    assert refusal("/load", {"decisions": {"email": "another"}}) == "invalid"
    loaded(hq, number, matches={"store": {"浦东店": "XH"}})
    assert refusal("/load", {}) == "import_not_loadable"
    assert refusal("/columns", {}, "PUT") == "import_not_a_draft"
    assert refusal("/look", {}) == "import_not_a_draft"
    assert refusal("", "", "DELETE") == "import_not_a_draft"


def test_known_customers_are_shown_before_anything_changes(hq: Caller, cast: Cast) -> None:
    cast.vera.refresh_from_db()
    text = "姓名,手机号,职业\n薇拉,13800000001,医生\n"
    phone = hq.post(f"/customers/{cast.vera.pk}/unmask", {"reason": "call"}).json()["phone"].removeprefix("+86")
    text = f"姓名,手机号,职业\n{cast.vera.name},{phone},医生\n"
    number = bring(hq, text, kind="customers").json()["id"]
    [met] = checked(hq, number)["met"]
    assert (met["group"], met["rows"], "skip" in met["decisions"]) == ("phone", 1, True)
    assert [(one["after"]) for one in met["changes"] if "医生" in one["after"]] == ["医生"]
    loaded(hq, number, decisions={"phone": "skip"})
    assert Customer.objects.get(pk=cast.vera.pk).occupation != "医生"


def test_a_draft_and_its_files_are_thrown_away(hq: Caller, cast: Cast) -> None:
    number = bring(hq).json()["id"]
    folder = settings.DATA_DIR / "uploads" / str(number)
    assert folder.is_dir()
    assert hq.send("DELETE", f"/imports/{number}", "").status_code == 204
    assert not folder.exists()
    assert hq.get(f"/imports/{number}").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (Files({"a.csv": b""}), 422, "files_unusable"),
        (Files({"a.csv": b"a,b\n1,2\n"}, {"kind": "dreams"}), 422, "invalid"),
        (Files({"a.csv": b"a,b\n1,2\n"}, {"preset": "dreams"}), 422, "invalid"),
        (Files({f"{n}.csv": b"a,b\n1,2\n" for n in range(51)}), 422, "invalid"),
        ({"files": "a"}, 422, "invalid"),
    ],
)
def test_what_cannot_be_brought_is_refused_and_leaves_nothing(
    hq: Caller, cast: Cast, body: object, status: int, code: str
) -> None:
    answer = hq.post("/imports", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert not Batch.objects.exists()
    assert not [*(settings.DATA_DIR / "uploads").glob("[0-9]*")]


def test_a_torn_form_is_no_form(hq: Caller, cast: Cast) -> None:
    headers = {"Authorization": f"Bearer {hq.secret}"}
    answer = hq.client.generic("POST", "/api/v1/imports", b"x", content_type="multipart/form-data", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_form")


def test_more_than_the_limit_is_refused_before_it_is_read(hq: Caller, cast: Cast, settings: Any) -> None:
    large = Files({"a.csv": b"x" * 3 * 1024**2})
    assert hq.post("/imports", large).status_code == 422, "two megabytes are the limit of JSON, not of files"
    settings.UPLOAD_LIMIT_BYTES = 2 * 1024**2
    answer = hq.post("/imports", large)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_whoever_may_not_load_leaves_no_file(key_of: Callable[[str], Caller], cast: Cast) -> None:
    assert bring(Caller()).status_code == 401
    assert bring(key_of("manager")).status_code == 403
    assert not Batch.objects.exists()
    assert not [*(settings.DATA_DIR / "uploads" / "incoming").glob("*")]


def test_the_same_files_twice_are_one_draft(hq: Caller, cast: Cast) -> None:
    once = {"Idempotency-Key": "load-1"}
    first, again = (hq.post("/imports", Files({"sales.csv": PURCHASES.encode()}), **once) for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    assert Batch.objects.count() == 1
    other = hq.post("/imports", Files({"sales.csv": PURCHASES.replace("288", "289").encode()}), **once)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")


def test_a_draft_of_the_page_goes_on_over_the_api(hq: Caller, cast: Cast) -> None:
    batch = upload(signed_in(cast.owner), a_file(PURCHASES))
    assert checked(hq, batch.pk)["total"] == 4
    loaded(hq, batch.pk, matches={"store": {"浦东店": "XH"}})
    assert signed_in(cast.owner).get(f"/imports/{batch.pk}/result/").status_code == 200


def test_a_field_that_the_role_does_not_see_is_no_column(hq: Caller, cast: Cast) -> None:
    define(key="secret", kind="text", labels={"en": "Secret"}, roles=["owner"], now=NOW)
    define(key="skin", kind="text", labels={"en": "Skin"}, now=NOW)
    draft = bring(hq, "name,phone,Secret,Skin\nA,13900000001,x,y\n", kind="customers").json()
    fields = draft["sheets"][0]["fields"]
    assert ("own_skin" in fields, "own_secret" in fields) == (True, False)
