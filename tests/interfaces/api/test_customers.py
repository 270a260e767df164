"""Finding, writing down and changing customers; masked phones."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from changke.decisions.next_best_action.services import record_followup
from changke.facts.customers.queries import values_of
from changke.facts.customers.services.change import change
from changke.facts.customers.services.meet import add_identifiers, reference
from changke.facts.models import Customer, Event
from changke.foundation.audit.models import AuditLine
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller

pytestmark = pytest.mark.django_db


def names(answer: Any) -> list[str]:
    return [one["name"] for one in answer.json()["items"]]


def test_somebody_is_found_by_phone_name_pinyin_and_external_id(hq: Caller, cast: Cast) -> None:
    new = {"name": "薇薇", "home_store": "XH", "external_ids": [{"source": "till", "value": "M-1"}]}
    hq.post("/customers", new)
    for query, found in (
        ({"phone": "138 0000 0003"}, ["薇拉"]),
        ({"phone": "0003"}, ["薇拉"]),
        ({"phone": "13999999999"}, []),
        ({"name": "薇"}, ["薇拉", "薇薇"]),
        ({"name": "薇拉"}, ["薇拉"]),
        ({"name": "weil"}, ["薇拉"]),
        ({"name": "WL"}, ["薇拉"]),
        ({"external_id": "M-1", "source": "till"}, ["薇薇"]),
        ({"external_id": "M-1", "source": "other"}, []),
        ({"name": "薇", "store": "XH"}, ["薇薇"]),
        ({"name": "%"}, []),
    ):
        assert names(hq.get("/customers", **query)) == found, query


def test_pages_follow_each_other_without_gap_or_repetition(hq: Caller, cast: Cast) -> None:
    seen: list[int] = []
    cursor = ""
    for _ in range(3):
        answer = hq.get("/customers", limit=2, cursor=cursor).json()
        seen += [one["id"] for one in answer["items"]]
        cursor = answer["next"]
    assert cursor is None
    assert seen == sorted(Customer.objects.values_list("id", flat=True))


def test_nobody_sees_a_whole_phone_unrecorded(hq: Caller, manager: Caller, cast: Cast) -> None:
    add_identifiers(cast.vera, [reference("email", "Vera@example.com")])
    path = f"/customers/{cast.vera.pk}"
    for who in (hq, manager):
        assert [one["value"] for one in who.get(path).json()["identifiers"]] == ["138****0003", "v***@example.com"]
    assert "13800000" not in hq.get("/customers").content.decode()


def test_whoever_unmasks_a_phone_is_recorded_with_the_reason(manager: Caller, cast: Cast) -> None:
    answer = manager.post(f"/customers/{cast.vera.pk}/unmask", {"reason": "call"})
    assert answer.json() == {"phone": "+8613800000003"}
    line = AuditLine.objects.get(action="phone.unmasked")
    assert (line.customer_id, line.after, line.actor_kind) == (cast.vera.pk, {"reason": "call"}, "key")
    assert line.actor_name.startswith("manager (")
    event = Event.objects.get(kind="phone.unmasked")
    assert (event.customer_id, event.staff_id) == (cast.vera.pk, None)
    assert event.data == {"reason": "call", "by": f"key:{line.actor_id}"}
    assert manager.post(f"/customers/{cast.vera.pk}/unmask", {"reason": "curious"}).status_code == 422


def test_somebody_new_is_written_down(manager: Caller, cast: Cast) -> None:
    body = {
        "name": "张三",
        "phone": "138 0000 7831",
        "email": "Zhang@Example.com",
        "home_store": "JA",
        "source": "大众点评",
        "birth_month": 3,
        "birth_day": 8,
        "adviser_id": cast.clerk.pk,
        "wecom_id": "wm-1",
        "external_ids": [{"source": "till", "value": "M-2201"}],
    }
    answer = manager.post("/customers", body)
    assert answer.status_code == 201
    customer = Customer.objects.get(pk=answer.json()["id"])
    assert (customer.name, customer.adviser_id, customer.source, customer.birth_day) == (
        "张三",
        cast.clerk.pk,
        "大众点评",
        8,
    )
    names = list(customer.identifiers.all())
    values = values_of(names)
    known = {(one.kind, one.source, values[one.pk]) for one in names}
    assert known == {
        ("phone", "", "+8613800007831"),
        ("email", "", "zhang@example.com"),
        ("wecom", "", "wm-1"),
        ("external", "till", "M-2201"),
    }


@pytest.mark.parametrize(
    ("changes", "status", "code", "place"),
    [
        ({"name": ""}, 422, "invalid", "name"),
        ({"home_store": "??"}, 404, "unknown_store", None),
        ({"phone": "1.38E+10"}, 422, "invalid", "phone"),
        ({"phone": "13800000003"}, 409, "phone_known", None),
        ({"email": "nowhere"}, 422, "invalid", "email"),
        ({"gender": "x"}, 422, "invalid", "gender"),
        ({"birth_year": 1850}, 422, "invalid", "birth_year"),
        ({"birth_year": 2199}, 422, "invalid", "birth_year"),
        ({"birth_month": 2, "birth_day": 30}, 422, "invalid", "birth_day"),
        ({"birth_month": 2}, 422, "invalid", "birth_day"),
        ({"city": "x" * 121}, 422, "invalid", "city"),
        ({"vip": True}, 422, "invalid", "vip"),
        ({"adviser_id": 999_999}, 404, "unknown_staff", None),
    ],
)
def test_a_wrong_new_customer_is_refused(
    changes: dict[str, Any], status: int, code: str, place: str | None, hq: Caller, cast: Cast
) -> None:
    answer = hq.post("/customers", {"name": "张三", "home_store": "JA"} | changes)
    assert (answer.status_code, answer.json()["code"], answer.json().get("field")) == (status, code, place)
    assert Customer.objects.count() == 6


def test_an_id_of_somebody_else_is_refused_and_nobody_is_written_down(hq: Caller, cast: Cast) -> None:
    cast.vera.identifiers.create(kind="external", source="till", value="M-1")
    answer = hq.post(
        "/customers", {"name": "张三", "home_store": "JA", "external_ids": [{"source": "till", "value": "M-1"}]}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "identifier_taken")
    assert Customer.objects.count() == 6


def test_who_uses_the_phone_of_another_says_so_and_has_it_too(hq: Caller, cast: Cast) -> None:
    body = {"name": "小薇", "home_store": "JA", "phone": "13800000003"}
    assert hq.post("/customers", body).json()["code"] == "phone_known"
    answer = hq.post("/customers", body | {"share": True})
    assert answer.status_code == 201
    assert [(one["kind"], one["shared"]) for one in answer.json()["identifiers"]] == [("phone", True)]
    assert names(hq.get("/customers", phone="13800000003")) == ["薇拉", "小薇"]
    assert names(hq.get("/customers", phone="0003")) == ["薇拉", "小薇"]


def test_whose_a_phone_is_stays_hidden_from_other_stores(manager: Caller, cast: Cast) -> None:
    answer = manager.post("/customers", {"name": "张三", "home_store": "JA", "phone": "13800000005"})
    assert answer.json()["code"] == "identifier_taken"
    assert cast.lan.name not in answer.json()["message"]


def test_a_change_changes_what_was_sent_and_is_recorded_without_its_values(hq: Caller, cast: Cast) -> None:
    answer = hq.patch(f"/customers/{cast.vera.pk}", {"name": "薇薇拉", "allergies": "酒精", "birth_year": None})
    assert (answer.json()["name"], answer.json()["allergies"]) == ("薇薇拉", "酒精")
    assert names(hq.get("/customers", name="wwl")) == ["薇薇拉"]
    event = Event.objects.get(kind="customer.changed")
    assert event.data["fields"] == ["allergies", "birth_year", "name"]
    assert hq.patch(f"/customers/{cast.vera.pk}", {"allergies": None}).json()["allergies"] == ""
    assert hq.patch(f"/customers/{cast.vera.pk}", {}).json()["field"] == "body"
    assert hq.patch(f"/customers/{cast.vera.pk}", {"phone": "1"}).json()["field"] == "phone"


def test_a_shop_cannot_hand_a_customer_to_a_store_that_is_not_its_own(manager: Caller, cast: Cast) -> None:
    answer = manager.patch(f"/customers/{cast.vera.pk}", {"home_store": "XH"})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_store")


def test_her_purchases_come_in_pages_the_latest_first(hq: Caller, cast: Cast) -> None:
    path, days, cursor = f"/customers/{cast.vera.pk}/purchases", [], ""
    while cursor is not None:
        answer = hq.get(path, limit=5, cursor=cursor).json()
        days += [one["business_date"] for one in answer["items"]]
        cursor = answer["next"]
    assert len(days) == 12
    assert days == sorted(days, reverse=True)
    first = answer["items"][-1]
    assert (first["cash_minor"], first["currency"], first["lines"][0]["item"]) == (88_800, "CNY", "F1")
    assert first["tenders"] == [{"kind": "wechat", "amount_minor": 88_800}]


def test_who_slips_through_is_listed_as_on_the_page(hq: Caller, key_of: Callable[[str], Caller], cast: Cast) -> None:
    long_ago = NOW - dt.timedelta(days=4)
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    change(cast.vera.pk, {"adviser": cast.clerk}, now=NOW)
    refresh_customers([cast.vera.pk], now=NOW)
    record_followup(
        cast.vera, reason="by_hand", outcome="postponed", by=cast.clerk, chain=cast.chain, source_key="a", now=long_ago
    )
    page = Client()
    page.force_login(cast.hq)
    for care, vera in (("no_adviser", False), ("never_contacted", False), ("broken_promise", True)):
        found = names(hq.get("/customers", care=care, limit=200))
        assert ("薇拉" in found, "岚岚" in found) == (vera, not vera), care
        shown = page.get("/customers/", {"care": care}).content.decode()
        assert all(name in shown for name in found), care
    assert "岚岚" not in names(key_of("manager").get("/customers", care="no_adviser", limit=200)), "of another store"
    assert hq.get("/customers", care="no_adviser", name="岚岚").json()["items"][0]["name"] == "岚岚"
    assert hq.get("/customers", care="dreams").status_code == 422
