"""Who brought whom, through the API."""

import json
from typing import Any

import pytest

from changke.facts.customers.models import Customer
from changke.facts.referrals.models import How, Referral
from changke.facts.referrals.services import name_referrer
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, Cast
from tests.interfaces.api.conftest import Caller

pytestmark = pytest.mark.django_db


def put(caller: Caller, customer: Customer, referrer: dict[str, Any], **more: Any) -> Any:
    return caller.send("PUT", f"/customers/{customer.pk}/referrer", json.dumps({"referrer": referrer, **more}))


def test_said_looked_at_corrected_and_taken_off(cast: Cast, hq: Caller) -> None:
    assert hq.get(f"/customers/{cast.qiu.pk}/referrer").json()["is_brought"] is False
    said = put(hq, cast.qiu, {"id": cast.vera.pk}, brought_on="2026-01-05").json()
    assert (said["referrer_id"], said["name"], said["brought_on"]) == (cast.vera.pk, "薇拉", "2026-01-05")
    assert put(hq, cast.qiu, {"phone": "138 0000 0004"}).json()["referrer_id"] == cast.mo.pk
    assert hq.get(f"/customers/{cast.qiu.pk}/referrer").json()["name"] == "莫愁"
    off = hq.send("DELETE", f"/customers/{cast.qiu.pk}/referrer", "")
    assert (off.status_code, off.json()["is_brought"]) == (200, False)
    again = hq.send("DELETE", f"/customers/{cast.qiu.pk}/referrer", "")
    assert (again.status_code, again.json()["code"]) == (409, "no_referrer")
    assert Referral.objects.count() == 3


def test_whom_she_brought_and_what_they_spent(cast: Cast, hq: Caller) -> None:
    for one in (cast.qiu, cast.lan, cast.bai):
        name_referrer(one.pk, cast.vera.pk, now=NOW)
    refresh_customers([one.pk for one in Customer.objects.all()], now=NOW)
    found = hq.get(f"/customers/{cast.vera.pk}/referred").json()
    assert (found["referred_customers"], found["referral_value_minor"]) == (3, 3 * 28_800)
    assert {one["name"]: one["spent_minor"] for one in found["brought"]} == {"秋月": 57_600, "岚岚": 28_800, "白露": 0}
    assert found["elsewhere"] == 0
    [top] = hq.get("/value/referrers").json()["items"]
    her = Profile.objects.get(pk=cast.vera.pk)
    assert top == {
        "customer_id": cast.vera.pk, "referred_customers": 3, "referral_value_minor": 86_400,
        "referral_value_365d_minor": 86_400, "spent_minor": her.net_spend,
    }  # fmt: skip


def test_the_list_goes_on_by_pages(cast: Cast, hq: Caller) -> None:
    for brought, referrer in ((cast.qiu, cast.vera), (cast.lan, cast.mo), (cast.bai, cast.ying)):
        name_referrer(brought.pk, referrer.pk, now=NOW)
    refresh_customers([one.pk for one in Customer.objects.all()], now=NOW)
    found, cursor = [], ""
    for _ in range(4):
        page = hq.get(f"/value/referrers?limit=1{cursor}").json()
        found += [one["customer_id"] for one in page["items"]]
        if not page["next"]:
            break
        cursor = f"&cursor={page['next']}"
    assert found == [cast.vera.pk, cast.mo.pk, cast.ying.pk]


def test_a_store_neither_says_nor_sees_whom_it_may_not(cast: Cast, manager: Caller) -> None:
    assert put(manager, cast.lan, {"id": cast.vera.pk}).status_code == 404
    assert put(manager, cast.qiu, {"id": cast.lan.pk}).status_code == 404
    assert manager.send("DELETE", f"/customers/{cast.lan.pk}/referrer", "").status_code == 404
    assert not Referral.objects.exists()
    name_referrer(cast.qiu.pk, cast.lan.pk, now=NOW)
    name_referrer(cast.lan.pk, cast.vera.pk, now=NOW)
    refresh_customers([one.pk for one in Customer.objects.all()], now=NOW)
    said = manager.get(f"/customers/{cast.qiu.pk}/referrer").json()
    assert (said["is_brought"], said["referrer_id"], said["name"]) == (True, None, "")
    found = manager.get(f"/customers/{cast.vera.pk}/referred").json()
    assert (found["referred_customers"], found["brought"], found["elsewhere"]) == (1, [], 1)
    assert [one["customer_id"] for one in manager.get("/value/referrers").json()["items"]] == [cast.vera.pk]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"referrer": {"id": 9_999_999}}, 404, "unknown_customer"),
        ({"referrer": {"phone": "13999999999"}}, 404, "unknown_customer"),
        ({"referrer": {"phone": "12"}}, 422, "invalid"),
        ({"referrer": {}}, 422, "invalid"),
        ({}, 422, "invalid"),
        ({"referrer": {"phone": "13800000003"}, "brought_on": "2100-01-01"}, 422, "invalid"),
        ({"referrer": {"phone": "13800000003"}, "brought_on": "1900-01-01"}, 422, "invalid"),
        ({"referrer": {"phone": "13800000003"}, "brought_on": "soon"}, 422, "invalid"),
        ({"referrer": {"phone": "13800000002"}}, 409, "referrer_is_herself"),
        ({"referrer": {"phone": "13800000004"}}, 409, "referral_circle"),
    ],
)
def test_what_cannot_be_is_refused(cast: Cast, hq: Caller, body: dict[str, Any], status: int, code: str) -> None:
    name_referrer(cast.mo.pk, cast.qiu.pk, now=NOW)
    answer = hq.send("PUT", f"/customers/{cast.qiu.pk}/referrer", json.dumps(body))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Referral.objects.count() == 1


def test_a_new_customer_comes_with_who_brought_her(cast: Cast, hq: Caller) -> None:
    body = {"name": "新人", "phone": "13900000077", "home_store": "JA", "referrer": {"phone": "13800000003"}}
    made = hq.post("/customers", body)
    assert made.status_code == 201
    row = Referral.objects.get(customer=made.json()["id"])
    assert row.referrer_id == cast.vera.pk
    nobody = hq.post("/customers", body | {"phone": "13900000078", "referrer": {"phone": "13999999999"}})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "unknown_customer")
    assert not Customer.objects.filter(name="新人").exclude(pk=row.customer_id).exists(), "all of it, or nothing"


def fact(**said: Any) -> dict[str, Any]:
    return {
        "type": "referral", "id": "r1", "happened_at": "2026-03-01T12:30:00+08:00",
        "customer": {"phone": "13800000002"}, "referrer": {"phone": "13800000003"}, **said,
    }  # fmt: skip


def test_statements_come_with_other_facts_and_count_once(cast: Cast, hq: Caller) -> None:
    visit = {"type": "visit", "id": "v1", "store": "JA", "happened_at": "2026-03-01T12:00:00+08:00",
             "customer": {"phone": "13900000088", "name": "新人"}}  # fmt: skip
    facts = [fact(customer={"phone": "13900000088"}), visit, fact(id="r2")]
    report = hq.post("/facts", {"facts": facts}).json()
    assert (report["created"], report["refused"]) == (3, 0), report
    row = Referral.objects.get(source_key="referral:api:r1")
    assert (row.customer.name, row.referrer_id, row.how) == ("新人", cast.vera.pk, How.MACHINE)
    assert str(row.business_date) == "2026-03-01"
    again = hq.post("/facts", {"facts": facts}).json()
    assert (again["created"], again["skipped"]) == (0, 3)
    taken_back = hq.post("/facts", {"facts": [fact(id="r3", referrer=None)]}).json()
    assert taken_back["created"] == 1
    assert hq.get(f"/customers/{cast.qiu.pk}/referrer").json()["is_brought"] is False


def test_each_statement_is_judged_on_its_own(cast: Cast, hq: Caller) -> None:
    facts = [
        fact(),
        fact(id="r2", customer={"phone": "13800000003"}, referrer={"phone": "13800000002"}),
        fact(id="r3", customer={"phone": "13800000003"}),
        fact(id="r4", referrer={"phone": "13999999999"}),
        fact(id="r5", customer={"phone": "13999999999"}),
        fact(id="r1", referrer={"phone": "13800000004"}),
        fact(id="r6", happened_at="2100-01-01T00:00:00+08:00"),
        fact(id="r7", referrer={"phone": "12"}),
        fact(id="r8", customer={"phone": "13800000006"}),
    ]
    results = hq.post("/facts", {"facts": facts}).json()["results"]
    assert [one["error"]["code"] if one["error"] else one["status"] for one in results] == [
        "created", "referral_circle", "referrer_is_herself", "unknown_customer", "unknown_customer",
        "content_differs", "invalid", "invalid", "created",
    ]  # fmt: skip
    assert results[7]["error"]["field"] == "referrer.phone"
    missing = fact(id="r9")
    del missing["referrer"]
    [refused] = hq.post("/facts", {"facts": [missing]}).json()["results"]
    assert refused["error"]["code"] == "invalid"
