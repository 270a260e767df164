"""Exports: whose eyes, what leaves, in which form, and who may fetch it."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext, override
from pytest_django import Settings
from python_calamine import CalamineWorkbook

from changke.facts.customers.services.register import register
from changke.facts.fields.services import define, set_values
from changke.facts.models import Customer
from changke.facts.referrals.services import name_referrer, take_off_referrer
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import By
from changke.interfaces.exporters import FORMATS, services
from changke.interfaces.exporters.models import Export
from changke.interfaces.exporters.services import forget_expired, run
from changke.interfaces.exporters.shape import DATASETS, Column, guarded
from changke.interfaces.importers.columns import recognise
from changke.interfaces.importers.normalise import texts
from changke.profiles.lifecycle.services import refresh_customers
from changke.profiles.segments.services.save import save_segment
from changke.profiles.value.models import Prediction
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller
from tests.interfaces.api.conftest import hq as hq
from tests.interfaces.api.conftest import key_of as key_of
from tests.interfaces.api.conftest import manager as manager
from tests.profiles.value.night import a_night
from tests.rows import as_app, roles

__all__ = ["as_app", "roles"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def known(cast: Cast) -> Cast:
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return cast


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def fetched(caller: Caller, **asked: Any) -> tuple[dict[str, Any], bytes]:
    made = caller.post("/exports", {"dataset": "customers", "format": "csv"} | asked)
    assert made.status_code == 201, made.content
    answer = caller.get(f"/exports/{made.json()['id']}/file")
    assert answer.status_code == 200
    return made.json(), body(answer)


def table(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))


def test_headquarters_export_everybody_with_their_phones(hq: Caller, known: Cast) -> None:
    made, raw = fetched(hq)
    rows = table(raw)
    assert (made["state"], made["rows"], len(rows)) == ("done", 6, 6)
    vera = next(row for row in rows if row["Name"] == "薇拉")
    assert (vera["Phone"], vera["Home store"]) == ("13800000003", "静安店")
    assert vera["Exported by"].startswith(f"#{made['id']} hq ")
    line = AuditLine.objects.get(action="export.made")
    assert (line.subject, line.after) == (
        f"export:{made['id']}",
        {"dataset": "customers", "format": "csv", "rows": 6, "filters": "", "phones": True},
    )


LABELS = (
    "Outlook in basis points", "Expected purchase days in thousandths", "Expected spend", "Annual value",
    "Discounted worth", "Horizon in days", "Expected as of",
)  # fmt: skip
KEYS = ("outlook_bp", "expected_purchases_milli", "expected_spend", "value_year", "worth", "horizon_days",
        "predicted_on")  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_what_is_expected_of_each_is_in_the_file(hq: Caller, known: Cast, tmp_path: Path, kind: str) -> None:
    a_night(NOW)
    vera = Prediction.objects.get(pk=known.vera.pk)
    path = tmp_path / f"expected.{kind}"
    path.write_bytes(fetched(hq, format=kind)[1])
    if kind == "csv":
        found = {row["Name"]: [row[name] for name in LABELS] for row in table(path.read_bytes())}
    elif kind == "xlsx":
        head, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        found = {row[head.index("Name")]: [row[head.index(name)] for name in LABELS] for row in rows}
    else:
        rows = duckdb.sql(f"SELECT name, {', '.join(KEYS)} FROM read_parquet('{path}')").fetchall()
        found = {name: cells for name, *cells in rows}
    chance, purchases, spend, year, worth, horizon, day = found["薇拉"]
    assert (int(chance), int(purchases), int(horizon)) == (vera.p_active_bp, vera.expected_purchases_milli, 90)
    units = 1 if kind == "parquet" else 100
    money = [round(float(str(one)) * units) for one in (spend, year, worth)]
    assert money == [vera.expected_spend_minor, vera.value_year_minor, vera.worth_minor]
    assert str(day).startswith(str(vera.as_of))
    assert not any(found["白露"]), "she never bought"


def test_a_store_exports_its_own_and_the_filters_of_the_list_apply(manager: Caller, known: Cast) -> None:
    names = {row["Name"] for row in table(fetched(manager)[1])}
    assert names == {"莹莹", "白露", "秋月", "薇拉", "莫愁"}
    assert {row["Name"] for row in table(fetched(manager, filters=urlencode({"q": "薇拉"}))[1])} == {"薇拉"}


ORIGIN = ("Brought by a customer", "Referrer number", "Name of the referrer")


@pytest.fixture
def brought(cast: Cast) -> Cast:
    """Mo was brought by Vera; Qiu and Ying by Lan, who is another store's."""
    for one, referrer in ((cast.mo, cast.vera), (cast.qiu, cast.lan), (cast.ying, cast.lan)):
        name_referrer(one.pk, referrer.pk, now=NOW)
    take_off_referrer(cast.ying.pk, now=NOW + dt.timedelta(seconds=1))
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    return cast


def test_a_file_names_who_brought_her(hq: Caller, brought: Cast) -> None:
    rows = {row["Name"]: tuple(row[name] for name in ORIGIN) for row in table(fetched(hq)[1])}
    assert rows["莫愁"] == ("yes", str(brought.vera.pk), "薇拉")
    assert rows["秋月"] == ("yes", str(brought.lan.pk), "岚岚")
    assert rows["莹莹"] == rows["薇拉"] == ("no", "", ""), "taken off, and never said"


@pytest.mark.parametrize("format", ["csv", "xlsx", "parquet"])
def test_a_store_learns_of_no_customer_of_another(manager: Caller, brought: Cast, tmp_path: Path, format: str) -> None:
    path = tmp_path / f"out.{format}"
    path.write_bytes(fetched(manager, format=format)[1])
    if format == "csv":
        found = {row["Name"]: [row[name] for name in ORIGIN] for row in table(path.read_bytes())}
    elif format == "xlsx":
        head, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        found = {row[head.index("Name")]: [row[head.index(name)] for name in ORIGIN] for row in rows}
    else:
        rows = duckdb.sql(f"SELECT name, was_brought, referrer_id, referrer_name FROM '{path}'").fetchall()
        found = {name: cells for name, *cells in rows}
    mo, qiu = found["莫愁"], found["秋月"]
    assert (mo[0], int(mo[1]), mo[2]) == ("yes", brought.vera.pk, "薇拉")
    assert (qiu[0], bool(qiu[1]), bool(qiu[2])) == ("yes", False, False), "that she was is about her; by whom is not"
    assert "岚岚" not in str(found)


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_our_import_knows_the_column_of_referrers_by_its_number(language: str) -> None:
    with override(language):
        head = [str(one.words) for one in DATASETS["customers"].columns]
        mapping = recognise(head, "customers")
        assert mapping["referrer"] == gettext("Referrer number")
        assert mapping["customer_id"] == gettext("Customer number"), "the number that the column names"


@pytest.fixture
def own_fields(known: Cast) -> None:
    define(key="skin", kind="choices", labels={"en": "Skin"}, choices=["dry", "thin"], now=NOW)
    define(key="budget", kind="money", labels={"en": "Budget"}, now=NOW)
    define(key="wedding", kind="date", labels={"en": "Wedding day"}, now=NOW)
    define(key="asked", kind="yes_no", labels={"en": "Asked"}, now=NOW)
    define(key="rank", kind="number", labels={"en": "Rank"}, roles=["owner", "hq"], now=NOW)
    held = {"skin": ["dry", "thin"], "budget": 128_050, "wedding": "2019-05-20", "asked": False, "rank": 7}
    set_values(known.vera.pk, held, now=NOW)


OWN = ("Skin", "Budget", "Wedding day", "Asked", "Rank")


@pytest.mark.usefixtures("own_fields")
def test_the_chains_own_fields_follow_and_are_empty_where_nothing_stands(hq: Caller, known: Cast) -> None:
    rows = {row["Name"]: [row[name] for name in OWN] for row in table(fetched(hq)[1])}
    assert rows["薇拉"] == ["dry、thin", "1280.50", "2019-05-20", "no", "7"]
    assert rows["莫愁"] == ["", "", "", "", ""]


@pytest.mark.usefixtures("own_fields")
def test_a_field_that_a_role_does_not_see_is_no_column_of_its_file(manager: Caller, known: Cast) -> None:
    rows = table(fetched(manager)[1])
    assert {"Rank"}.isdisjoint(rows[0])
    assert rows[0].keys() >= {"Skin", "Budget"}


@pytest.mark.usefixtures("own_fields")
def test_a_file_does_not_tell_by_whom_it_holds_what_a_role_may_not_see(hq: Caller, manager: Caller) -> None:
    save_segment(None, name="Ranked", text="custom.rank > 0", now=NOW)
    for filters, refused in (("own=rank~1", 403), ("segment=ranked", 409), ("segment=gone", 404)):
        body = {"dataset": "customers", "format": "csv", "filters": filters}
        assert manager.send("POST", "/exports", body).status_code == refused, filters
        assert hq.send("POST", "/exports", body).status_code == (404 if "gone" in filters else 201), filters


@pytest.mark.usefixtures("own_fields")
@pytest.mark.parametrize("format", ["xlsx", "parquet"])
def test_own_fields_keep_their_kinds_in_every_form(hq: Caller, known: Cast, tmp_path: Path, format: str) -> None:
    path = tmp_path / f"out.{format}"
    path.write_bytes(fetched(hq, format=format)[1])
    if format == "xlsx":
        header, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    else:
        found = duckdb.sql(f"SELECT * FROM '{path}'")
        header, rows = found.columns, found.fetchall()
    vera = next(row for row in rows if "薇拉" in row)
    days = [value for value in vera if isinstance(value, dt.date) and str(value).startswith("2019-05-20")]
    assert len(days) == 1
    assert (
        set(OWN) <= set(header)
        if format == "xlsx"
        else len(header) == len(DATASETS["customers"].columns) + len(OWN) + 1
    )


def test_without_the_right_phones_are_masked(hq: Caller, known: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    made = services.ask(
        dataset="customers", format="csv", scope=services.Scope(None), shows_phones=False, maker="staff:1",
        by=By("staff", 1, "x"), language="en", now=NOW,
    )  # fmt: skip
    run(made.pk, now=NOW)
    made.refresh_from_db()
    phones = {row["Phone"] for row in table((services.folder() / made.file).read_bytes())}
    assert "138****0003" in phones
    assert not any(phone.isdigit() for phone in phones)


@pytest.mark.parametrize("role", ["staff", "analyst"])
def test_who_may_not_export_is_refused(role: str, key_of: Callable[[str], Caller], known: Cast) -> None:
    assert key_of(role).post("/exports", {"dataset": "customers"}).status_code == 403


def test_the_audit_trail_is_for_those_who_view_it(hq: Caller, manager: Caller, known: Cast) -> None:
    assert manager.post("/exports", {"dataset": "audit"}).status_code == 403
    fetched(hq)
    assert any(row["Action"] == "export.made" for row in table(fetched(hq, dataset="audit")[1]))


def test_only_the_maker_fetches_the_file_and_only_for_a_day(
    hq: Caller, key_of: Callable[[str], Caller], known: Cast
) -> None:
    made, _ = fetched(hq)
    other = key_of("owner")
    for path in ("", "/file"):
        assert other.get(f"/exports/{made['id']}{path}").status_code == 404
    assert other.get("/exports").json()["items"] == []
    kept = Export.objects.get()
    assert forget_expired(now=kept.expires_at - dt.timedelta(seconds=1)) == 0
    assert forget_expired(now=kept.expires_at + dt.timedelta(seconds=1)) == 1
    assert hq.get(f"/exports/{made['id']}/file").status_code == 404
    assert list(services.folder().iterdir()) == []
    assert hq.get(f"/exports/{made['id']}").json()["state"] == "gone"


def test_a_long_list_needs_a_reason(hq: Caller, known: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "REASON_ABOVE_ROWS", 5)
    answer = hq.post("/exports", {"dataset": "customers"})
    assert (answer.status_code, answer.json()["field"]) == (422, "reason")
    fetched(hq, reason="六月的信")
    assert AuditLine.objects.get(action="export.made").reason == "六月的信"


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"dataset": "secrets"}, "dataset"), ({"format": "pdf"}, "format"), ({"filters": "x" * 1001}, "filters")],
)
def test_what_there_is_not_is_refused(asked: dict[str, str], field: str, hq: Caller, known: Cast) -> None:
    answer = hq.post("/exports", {"dataset": "customers"} | asked)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_large_one_is_made_by_a_job(hq: Caller, known: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changke.interfaces.jobs.AT_ONCE_ROWS", 3)
    made = hq.post("/exports", {"dataset": "customers"}).json()
    assert made["state"] == "waiting"
    assert hq.get(f"/exports/{made['id']}/file").status_code == 404
    Export.objects.update(state="running", done=3)  # a worker was killed here
    run(made["id"], now=NOW)
    assert hq.get(f"/exports/{made['id']}").json()["rows_done"] == 6
    assert len(table(body(hq.get(f"/exports/{made['id']}/file")))) == 6


@pytest.mark.parametrize("dataset", list(DATASETS))
@pytest.mark.parametrize("format", list(FORMATS))
def test_every_set_goes_into_every_format(dataset: str, format: str, hq: Caller, known: Cast) -> None:
    made, raw = fetched(hq, dataset=dataset, format=format)
    path = services.folder() / "read"
    path.write_bytes(raw)
    if format == "csv":
        rows, columns = len(table(raw)), len(next(csv.reader(raw.decode("utf-8-sig").splitlines())))
    elif format == "xlsx":
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        rows, columns = len(sheet) - 1, len(sheet[0])
    else:
        found = duckdb.sql(f"SELECT * FROM read_parquet('{path}')")
        rows, columns = len(found.fetchall()), len(found.columns)
    assert (rows, columns) == (made["rows"], len(DATASETS[dataset].columns) + 1)


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠1", '=HYPERLINK("http://x","y")']


@pytest.mark.parametrize("text", FORMULAS)
def test_no_spreadsheet_runs_what_a_customer_is_called_and_our_import_takes_it_back(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert texts.text(guarded(text)) == texts.text(text)


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_formula_in_a_name_leaves_as_a_text(format: str, hq: Caller, known: Cast) -> None:
    register(
        name='=HYPERLINK("http://x")',
        phone="+441212345678",
        home_store=known.jing_an,
        now=NOW,
        by=By("system", None, ""),
    )
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    _, raw = fetched(hq, format=format)
    if format == "csv":
        cells = {row["Name"]: row["Phone"] for row in table(raw)}
    else:
        path = services.folder() / "read.xlsx"
        path.write_bytes(raw)
        cells = {row[1]: row[2] for row in CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()}
    assert cells['\'=HYPERLINK("http://x")'] == "'+441212345678"
    assert cells["薇拉"] == "13800000003", "a phone stays a text"


def test_parquet_keeps_what_nothing_is_apart_from_an_empty_text(tmp_path: Path) -> None:
    columns = (Column("a", "a"), Column("b", "b", "int"), Column("c", "c", "money"), Column("d", "d", "day"))
    rows = [("", None, None, None), ('x"y\n,z', 7, -5, dt.date(2026, 3, 1)), (None, 0, 0, None)]
    FORMATS["parquet"].write(tmp_path / "it's.parquet", columns, iter(rows), currency="CNY")
    read = duckdb.execute("SELECT * FROM read_parquet(?)", [str(tmp_path / "it's.parquet")]).fetchall()
    assert read == rows


def test_parquet_takes_long_texts_in_every_row(tmp_path: Path) -> None:
    """More than the memory that most files need: it is written once more with more."""
    text = "长" * 15_000
    rows = ((f"{number}{text}", number) for number in range(2_500))
    FORMATS["parquet"].write(tmp_path / "long.parquet", (Column("a", "a"), Column("b", "b", "int")), rows, currency="")
    found = duckdb.execute(
        "SELECT count(*), min(length(a)), sum(b) FROM read_parquet(?)", [str(tmp_path / "long.parquet")]
    )
    assert found.fetchall() == [(2_500, 15_001, 3_123_750)]
    assert not list(tmp_path.glob("*.rows"))


def signed_in(person: Any) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(person)
    return client


def test_the_page_makes_a_file_and_hands_it_out(known: Cast) -> None:
    client = signed_in(known.manager)
    assert client.get(reverse("exports")).status_code == 200
    assert client.post(reverse("exports"), {"dataset": "customers", "format": "csv"}).status_code == 303
    made = Export.objects.get()
    page = client.get(reverse("exports")).content.decode()
    assert reverse("export-file", args=[made.pk]) in page
    assert len(table(body(client.get(reverse("export-file", args=[made.pk]))))) == 5
    assert signed_in(known.owner).get(reverse("export-file", args=[made.pk])).status_code == 404
    assert signed_in(known.clerk).get(reverse("exports")).status_code == 403


def test_the_page_says_what_is_wrong(known: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "REASON_ABOVE_ROWS", 2)
    client = signed_in(known.manager)
    answer = client.post(reverse("exports"), {"dataset": "customers", "format": "csv"})
    assert (answer.status_code, b"leave the house" in answer.content) == (422, True)
    assert client.post(reverse("exports"), {"dataset": "x", "format": "csv"}).status_code == 422
    assert client.post(reverse("exports"), {"dataset": "audit", "format": "csv"}).status_code == 403
    assert not Export.objects.exists()


def test_parquet_is_written_in_groups_of_rows_in_their_order(tmp_path: Path) -> None:
    columns = [Column("number", "Number", "int"), Column("text", "Text")]
    rows = ((number, "长" * 400) for number in range(60_000))
    FORMATS["parquet"].write(tmp_path / "many.parquet", columns, rows, currency="CNY")
    path = str(tmp_path / "many.parquet")
    read = duckdb.execute("SELECT number FROM read_parquet(?)", [path]).fetchall()
    assert [number for (number,) in read] == list(range(60_000))
    [groups] = duckdb.execute("SELECT max(row_group_num_rows) FROM parquet_metadata(?)", [path]).fetchall()
    assert groups[0] <= 20_480, "what is kept in memory at once"


def test_parquet_takes_long_texts(tmp_path: Path) -> None:
    columns = [Column("number", "Number", "int"), Column("text", "Text")]
    rows = ((number, f"{number}" * 200_000) for number in range(40))
    FORMATS["parquet"].write(tmp_path / "long.parquet", columns, rows, currency="CNY")
    [read] = duckdb.execute(
        "SELECT sum(length(text)) FROM read_parquet(?)", [str(tmp_path / "long.parquet")]
    ).fetchall()
    assert read == (sum(len(f"{number}") * 200_000 for number in range(40)),)
