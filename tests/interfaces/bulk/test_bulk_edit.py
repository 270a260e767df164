"""One change for many customers: whom it means, what it does, the way back (docs/algorithms/bulk-change.md)."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from changke.facts.customers.models import Chosen, Customer, Replaced, Tag
from changke.facts.customers.services.bulk import BulkChange, change_next, choose
from changke.facts.customers.services.change import change
from changke.facts.customers.services.tags import add_tag
from changke.foundation.access.models import Role
from changke.foundation.access.services import issue_key
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import system
from changke.foundation.batches.models import Batch, BatchStatus
from changke.foundation.batches.registry import kind_of
from changke.foundation.errors import Invalid
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.interfaces.bulk import work
from changke.interfaces.bulk.change import Wish, understood
from changke.interfaces.bulk.whom import Whom
from tests.cast import NOW, Cast
from tests.interfaces.web.test_imports import signed_in
from tests.interfaces.web.test_imports import work as do_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path) -> Iterator[None]:
    kept, settings.DATA_DIR = settings.DATA_DIR, tmp_path / "data"
    yield
    settings.DATA_DIR = kept


@pytest.fixture
def people(computed_cast: Cast) -> Cast:
    return computed_cast


def everybody(query: str = "") -> Whom:
    return Whom.asked(query, [], CHAIN_WIDE)


def done(whom: Whom, wish: Wish) -> Batch:
    batch = work.start(whom, wish, by=system("test"), created_by=None, language="en", now=NOW)
    work.run(batch.pk, NOW)
    batch.refresh_from_db()
    return batch


def tags(customer: Customer) -> set[str]:
    return set(Tag.objects.filter(customer=customer).values_list("name", flat=True))


def fresh(customer: Customer) -> Customer:
    return Customer.objects.get(pk=customer.pk)


def rows(batch: Batch) -> list[dict[str, str]]:
    with work.result_file(batch.pk).open(encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def test_all_of_a_filter_are_changed_and_nobody_else(people: Cast) -> None:
    assert everybody("stage=lost").count() == 1
    batch = done(everybody("stage=lost"), Wish(set={"source": "老客唤醒"}, add_tags=["唤醒"]))
    assert (batch.status, batch.updated_count, batch.skipped_count) == (BatchStatus.DONE, 1, 0)
    assert fresh(people.lan).source == "老客唤醒"
    assert tags(people.lan) == {"唤醒"}
    assert fresh(people.vera).source != "老客唤醒"


def test_those_ticked_are_changed_within_ones_stores_only(people: Cast) -> None:
    ids = [people.vera.pk, people.mo.pk]
    scope = Scope(frozenset({fresh(people.vera).home_store_id or 0}))
    mine = {pk for pk in ids if fresh(Customer(pk=pk)).home_store_id in (scope.store_ids or ())}
    batch = done(Whom.asked("", ids, scope), Wish(add_tags=["会员日"]))
    assert set(Chosen.objects.filter(batch=batch).values_list("customer_id", flat=True)) == mine


def test_a_change_that_empties_its_own_filter_still_reaches_everybody(people: Cast) -> None:
    for one in (people.vera, people.mo, people.qiu):
        add_tag(one, "旧标签", now=NOW)
    batch = done(everybody("tag=旧标签"), Wish(remove_tags=["旧标签"]))
    assert batch.updated_count == 3
    assert not Tag.objects.filter(name="旧标签").exists()


def test_the_result_says_what_became_of_each(people: Cast) -> None:
    change(people.vera.pk, {"city": "上海"}, now=NOW)
    add_tag(people.vera, "甲", now=NOW)
    whom = Whom.asked("", [people.vera.pk, people.mo.pk], CHAIN_WIDE)
    batch = done(whom, Wish(set={"city": "上海"}, add_tags=["乙"], remove_tags=["甲"]))
    found = {(row["Name"], row["Result"], row["Field"], row["Before"], row["After"]) for row in rows(batch)}
    assert found == {
        ("薇拉", "changed", "Tag", "", "乙"),
        ("薇拉", "changed", "Tag", "甲", ""),
        ("莫愁", "changed", "City or address", "–", "上海"),
        ("莫愁", "changed", "Tag", "", "乙"),
    }
    again = done(whom, Wish(set={"city": "上海"}))
    assert (again.updated_count, again.skipped_count) == (0, 2)
    assert [row["Result"] for row in rows(again)] == ["had it already", "had it already"]


def test_an_undo_says_before_what_stays_and_leaves_what_was_changed_since(people: Cast) -> None:
    whom = Whom.asked("", [people.vera.pk, people.mo.pk], CHAIN_WIDE)
    add_tag(people.mo, "甲", now=NOW)
    batch = done(whom, Wish(set={"city": "上海"}, add_tags=["乙"], remove_tags=["甲"]))
    change(people.vera.pk, {"city": "苏州"}, now=NOW)

    said = kind_of(batch.kind).before_undo(batch.pk)
    assert {part.code: part.count for part in said.goes} == {"fields": 1, "tags": 2, "tags_back": 1}
    [stays] = said.stays
    assert (stays.code, stays.count) == ("fields_changed", 1)
    assert [(one.name, one.field, one.holds, one.held) for one in stays.examples] == [("薇拉", "city", "苏州", "")]

    work.undo(batch.pk, NOW)
    batch.refresh_from_db()
    assert batch.status == BatchStatus.WITHDRAWN
    assert (fresh(people.vera).city, fresh(people.mo).city) == ("苏州", "")
    assert (tags(people.vera), tags(people.mo)) == (set(), {"甲"})
    assert not Replaced.objects.filter(batch=batch).exists()


def test_of_two_changes_the_first_may_be_undone_first(people: Cast) -> None:
    whom = Whom.asked("", [people.mo.pk], CHAIN_WIDE)
    first, second = done(whom, Wish(set={"city": "上海"})), done(whom, Wish(set={"city": "苏州"}))
    work.undo(first.pk, NOW)
    assert fresh(people.mo).city == "苏州"
    work.undo(second.pk, NOW)
    assert fresh(people.mo).city == ""


def test_a_change_that_was_killed_goes_on_behind_its_last_chunk(people: Cast) -> None:
    batch = work.start(everybody(), Wish(add_tags=["乙"]), by=system("t"), created_by=None, language="en", now=NOW)
    choose(batch.pk, everybody().customers())
    Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.RUNNING, options={**batch.options, "chosen": True})
    Chosen.objects.filter(batch=batch, customer=people.vera).update(outcome="same")  # a chunk that was done
    work.run(batch.pk, NOW)
    batch.refresh_from_db()
    assert tags(people.vera) == set()
    assert (batch.updated_count, batch.skipped_count) == (5, 1)


def test_who_left_meanwhile_is_left_out_and_named(people: Cast) -> None:
    batch = work.start(everybody(), Wish(add_tags=["乙"]), by=system("t"), created_by=None, language="en", now=NOW)
    choose(batch.pk, [people.mo.pk])
    Customer.objects.filter(pk=people.mo.pk).update(is_active=False)
    assert change_next(batch.pk, BulkChange(add_tags=("乙",)), now=NOW) == 1
    assert Chosen.objects.get(batch=batch).outcome == "gone"
    assert tags(people.mo) == set()


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (Wish(), "set"),
        (Wish(set={"name": "同名"}), "name"),
        (Wish(set={"allergies": "酒精"}), "allergies"),
        (Wish(set={"adviser": "999999"}), "adviser"),
        (Wish(set={"adviser": "x"}), "adviser"),
        (Wish(set={"home_store": "999999"}), "home_store"),
        (Wish(set={"gender": "女"}), "gender"),
        (Wish(set={"city": "长" * 121}), "city"),
        (Wish(add_tags=[""]), "add_tags"),
        (Wish(add_tags=["长" * 61]), "add_tags"),
        (Wish(add_tags=["甲"], remove_tags=["甲"]), "remove_tags"),
        (Wish(add_tags=[str(number) for number in range(21)]), "add_tags"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_field(people: Cast, wish: Wish, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        understood(wish, scope=CHAIN_WIDE)
    assert refused.value.field == field


def test_a_manager_moves_nobody_into_a_store_that_is_not_his(people: Cast) -> None:
    mine = Scope(frozenset({people.jing_an.pk}))
    with pytest.raises(Invalid):
        understood(Wish(set={"home_store": str(people.xu_hui.pk)}), scope=mine)
    assert understood(Wish(set={"home_store": str(people.jing_an.pk)}), scope=mine).fields


def test_a_change_for_nobody_is_refused(people: Cast) -> None:
    with pytest.raises(Invalid):
        done(everybody("tag=没有人有"), Wish(add_tags=["乙"]))


def test_the_page_shows_before_and_after_then_does_it_and_takes_it_back(people: Cast) -> None:
    client = signed_in(people.owner)
    address = "/customers/bulk/?stage=lost"
    assert "1 customer of this list" in client.get(address).content.decode()
    looked = client.post(address, {"what": "city", "value": "杭州"})
    assert [each.after for each in looked.context["preview"].samples[0].differences] == ["杭州"]
    assert fresh(people.lan).city == ""
    gone = client.post(address, {"what": "city", "value": "杭州", "run": "1"})
    batch = Batch.objects.latest("id")
    assert gone.headers["Location"] == f"/customers/bulk/{batch.pk}/"
    assert client.get(gone.headers["Location"]).status_code == 200
    assert do_jobs() == ["run_batch"]
    assert fresh(people.lan).city == "杭州"
    assert "Download the result" in client.get(f"/customers/bulk/{batch.pk}/").content.decode()
    assert b"".join(client.get(f"/customers/bulk/{batch.pk}/file/").streaming_content).count(b"\n") == 2  # type: ignore[attr-defined]
    assert (
        "Profile fields that take their former value"
        in client.get(f"/customers/bulk/{batch.pk}/undo/").content.decode()
    )
    client.post(f"/customers/bulk/{batch.pk}/undo/")
    assert do_jobs() == ["undo_batch"]
    assert fresh(people.lan).city == ""
    line = AuditLine.objects.get(action="customers.bulk_edited")
    assert (line.subject, line.after["customers"]) == (f"batch:{batch.pk}", 1)  # type: ignore[index]


def test_a_value_that_cannot_be_is_said_beside_its_field(people: Cast) -> None:
    answer = signed_in(people.owner).post("/customers/bulk/", {"what": "add_tag", "value": ""})
    assert answer.status_code == 422
    assert "a tag has 1 to 60 characters" in answer.content.decode()


def test_stores_change_their_own_customers_and_see_their_own_changes(people: Cast) -> None:
    manager = signed_in(people.manager)
    everyone = signed_in(people.owner).get("/customers/bulk/").context["count"]
    mine = manager.get("/customers/bulk/").context["count"]
    assert 0 < mine < everyone
    assert signed_in(people.clerk).get("/customers/bulk/").status_code == 403
    signed_in(people.owner).post("/customers/bulk/", {"what": "add_tag", "value": "总部", "run": "1"})
    batch = Batch.objects.latest("id")
    for page in ("", "file/", "undo/"):
        assert manager.get(f"/customers/bulk/{batch.pk}/{page}").status_code == 404
    assert manager.post(f"/customers/bulk/{batch.pk}/undo/").status_code == 404


def test_the_list_offers_ticks_to_whom_it_may(people: Cast) -> None:
    assert "data-pick" in signed_in(people.manager).get("/customers/").content.decode()
    assert "data-pick" not in signed_in(people.clerk).get("/customers/").content.decode()


def test_a_machine_looks_first_and_then_changes(people: Cast) -> None:
    secret = issue_key(name="till", role=Role.HQ, now=NOW).secret
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    def post(path: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        answer = client.post(f"/api/v1/batches/{path}", json.dumps(body), content_type="application/json")
        return answer.status_code, answer.json()

    asked = {"filter": {"stage": ["lost"]}, "add_tags": ["唤醒"]}
    status, looked = post("bulk-edits", {**asked, "dry_run": True})
    assert (status, looked["id"], looked["customers"]) == (201, None, 1)
    assert not Batch.objects.exists()
    _, made = post("bulk-edits", asked)
    assert do_jobs() == ["run_batch"]
    assert client.get(f"/api/v1/batches/{made['id']}").json()["updated"] == 1
    undo = client.get(f"/api/v1/batches/{made['id']}/undo").json()
    assert [(part["code"], part["count"]) for part in undo["goes"]] == [("tags", 1)]
    assert post(f"{made['id']}/undo", {})[0] == 202
    assert do_jobs() == ["undo_batch"]
    assert post(f"{made['id']}/undo", {})[0] == 409
    assert post("bulk-edits", {"add_tags": ["唤醒"]})[0] == 422
    assert client.get("/api/v1/batches/999999").status_code == 404


def test_the_command_only_looks_until_it_is_told(people: Cast) -> None:
    out = StringIO()
    call_command("bulk_edit", "--filter", "stage=lost", "--add-tag", "唤醒", stdout=out)
    assert "nothing was changed" in out.getvalue()
    assert not Batch.objects.exists()
    call_command("bulk_edit", "--filter", "stage=lost", "--add-tag", "唤醒", "--yes", stdout=out)
    batch = Batch.objects.get()
    assert tags(people.lan) == {"唤醒"}
    call_command("bulk_edit", "--undo", str(batch.pk), "--yes", stdout=out)
    assert tags(people.lan) == set()
    with pytest.raises(CommandError):
        call_command("bulk_edit", "--set", "city", stdout=out)
