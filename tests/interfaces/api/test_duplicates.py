"""Pairs that may be one person, through the API; and further names of a customer."""

from typing import Any

import pytest

from changke.facts.customers.models import Customer, Identifier, MergeLink
from changke.facts.customers.queries import by_phone, with_phone
from changke.facts.customers.services.merge import merge
from changke.facts.customers.services.register import register
from changke.facts.duplicates.models import Duplicate
from changke.facts.duplicates.services import find_duplicates
from changke.facts.purchases.models import Receipt
from changke.foundation.audit.models import AuditLine
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller, sale

pytestmark = pytest.mark.django_db


@pytest.fixture
def twin(cast: Cast) -> Customer:
    return register(name="莹莹", phone="13800000001", home_store=cast.jing_an, share=True, now=NOW)


@pytest.fixture
def pair(twin: Customer) -> Duplicate:
    find_duplicates(now=NOW)
    return Duplicate.objects.get()


def test_a_pair_says_why_and_who(cast: Cast, hq: Caller, pair: Duplicate, twin: Customer) -> None:
    [told] = hq.get("/duplicates").json()["items"]
    assert (told["rule"], told["said"], told["score"], told["why"]) == (
        "phone_name",
        "Same phone and same name",
        95,
        ["phone", "name"],
    )
    assert [one["id"] for one in told["customers"]] == [cast.ying.pk, twin.pk]
    assert "13800000001" not in str(told)


def test_merging_takes_it_off_the_list_and_is_told_among_the_decided(
    cast: Cast, hq: Caller, pair: Duplicate, twin: Customer
) -> None:
    answer = hq.post(f"/duplicates/{pair.pk}/merge", {"into_id": cast.ying.pk})
    assert (answer.status_code, answer.json()["state"]) == (200, "merged")
    assert [one["id"] for one in answer.json()["customers"]] == [cast.ying.pk]
    assert hq.get("/duplicates").json()["items"] == []
    assert [one["id"] for one in hq.get("/duplicates?state=decided").json()["items"]] == [pair.pk]
    assert MergeLink.objects.get().why == "phone_name"
    late = hq.post(f"/duplicates/{pair.pk}/not-same", "")
    assert (late.status_code, late.json()["code"]) == (409, "decided_already")


@pytest.mark.parametrize(("body", "field"), [({"into_id": 999_999}, "into_id"), ({}, "into_id")])
def test_one_of_the_two_must_stay(hq: Caller, pair: Duplicate, body: dict[str, int], field: str) -> None:
    answer = hq.post(f"/duplicates/{pair.pk}/merge", body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_two_persons_stay_two(hq: Caller, pair: Duplicate) -> None:
    assert hq.post(f"/duplicates/{pair.pk}/not-same", "").json()["state"] == "not_same"
    find_duplicates(now=NOW)
    assert hq.get("/duplicates").json()["items"] == []
    assert hq.post("/duplicates/999999/not-same", "").status_code == 404


def test_pages_go_on_where_the_last_one_ended(cast: Cast, hq: Caller, twin: Customer) -> None:
    for number, name in (("13800000002", "秋月"), ("13800000004", "小莫"), ("13800000006", "小白")):
        register(name=name, phone=number, home_store=cast.jing_an, share=True, now=NOW)
    find_duplicates(now=NOW)
    seen, cursor = [], ""
    while True:
        part = hq.get(f"/duplicates?limit=1&cursor={cursor}").json()
        seen += [one["score"] for one in part["items"]]
        if not (cursor := part["next"]):
            break
    assert seen == [95, 95, 40, 40]
    for one in Duplicate.objects.all():
        hq.post(f"/duplicates/{one.pk}/not-same", "")
    first = hq.get("/duplicates?state=decided&limit=3").json()
    rest = hq.get(f"/duplicates?state=decided&limit=3&cursor={first['next']}").json()
    assert len({one["id"] for one in first["items"] + rest["items"]}) == 4


def test_a_store_sees_and_decides_only_what_is_wholly_its_own(
    cast: Cast, hq: Caller, manager: Caller, pair: Duplicate
) -> None:
    register(name="岚岚", phone="13800000005", home_store=cast.jing_an, share=True, now=NOW)
    find_duplicates(now=NOW)
    assert len(hq.get("/duplicates").json()["items"]) == 2
    assert [one["id"] for one in manager.get("/duplicates").json()["items"]] == [pair.pk]
    foreign = Duplicate.objects.exclude(pk=pair.pk).get()
    assert manager.post(f"/duplicates/{foreign.pk}/not-same", "").status_code == 404
    assert manager.post(f"/duplicates/{foreign.pk}/merge", {"into_id": cast.lan.pk}).status_code == 404
    assert manager.post(f"/duplicates/{pair.pk}/not-same", "").status_code == 200


def test_a_second_phone_finds_her(cast: Cast, hq: Caller) -> None:
    answer = hq.post(f"/customers/{cast.bai.pk}/identifiers", {"kind": "phone", "value": "139 0000 0099"})
    assert answer.status_code == 201
    assert len(answer.json()["identifiers"]) == 2
    assert by_phone("13900000099") == cast.bai
    line = AuditLine.objects.filter(action="customer.named").get()
    assert line.customer_id == cast.bai.pk
    again = hq.post(f"/customers/{cast.bai.pk}/identifiers", {"kind": "phone", "value": "13900000099"})
    assert (again.status_code, AuditLine.objects.filter(action="customer.named").count()) == (201, 1)


def test_the_phone_of_another_is_added_when_both_use_it(cast: Cast, hq: Caller) -> None:
    body = {"kind": "phone", "value": "13800000003"}
    refused = hq.post(f"/customers/{cast.bai.pk}/identifiers", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "identifier_taken")
    assert hq.post(f"/customers/{cast.bai.pk}/identifiers", body | {"share": True}).status_code == 201
    assert with_phone("13800000003") == [cast.vera.pk, cast.bai.pk]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "phone", "value": "12"}, "phone"),
        ({"kind": "email", "value": "nowhere"}, "email"),
        ({"kind": "external", "value": "M-1"}, "source"),
        ({"kind": "passport", "value": "1"}, "kind"),
        ({"kind": "card", "value": ""}, "value"),
    ],
)
def test_a_wrong_name_is_refused(cast: Cast, hq: Caller, body: dict[str, str], field: str) -> None:
    answer = hq.post(f"/customers/{cast.bai.pk}/identifiers", body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_cards_and_union_ids_are_written_down_and_a_card_is_of_one_person(cast: Cast, hq: Caller) -> None:
    made = hq.post(
        "/customers", {"name": "卡卡", "home_store": "JA", "card_number": "880012345", "union_id": "oWx_6bmasdasd"}
    )
    assert made.status_code == 201
    kinds = {one["kind"]: one["value"] for one in made.json()["identifiers"]}
    assert kinds == {"card": "880012345", "unionid": "oWx_6bmasdasd"}
    taken = hq.post("/customers", {"name": "又一个", "home_store": "JA", "card_number": "880012345", "share": True})
    assert taken.json()["code"] == "identifier_taken"  # a card is one person's


def _ids(answer: dict[str, Any]) -> dict[str, int]:
    return {one["kind"]: one["id"] for one in answer["identifiers"]}


def test_a_wrong_phone_is_taken_off_and_what_came_under_it_stays(cast: Cast, hq: Caller) -> None:
    hq.post(f"/customers/{cast.bai.pk}/identifiers", {"kind": "phone", "value": "13900000099"})
    under = {"customer": {"phone": "13900000099"}}
    assert hq.post("/purchases", {"purchases": [sale(number="A", **under)]}).json()["created"] == 1
    wrong = Identifier.objects.filter(customer=cast.bai, kind="phone").latest("pk")
    answer = hq.send("DELETE", f"/customers/{cast.bai.pk}/identifiers/{wrong.pk}", "")
    assert answer.status_code == 200
    assert wrong.pk not in _ids(answer.json()).values()
    assert by_phone("13900000099") is None
    assert Receipt.objects.filter(customer=cast.bai, number="A").exists()
    line = AuditLine.objects.get(action="customer.unnamed")
    assert (line.customer_id, line.before, line.after) == (cast.bai.pk, {"kind": "phone"}, None)
    assert hq.send("DELETE", f"/customers/{cast.bai.pk}/identifiers/{wrong.pk}", "").status_code == 404
    # Under the same phone somebody new is met from now on.
    assert hq.post("/purchases", {"purchases": [sale(number="B", **under)]}).json()["created"] == 1
    assert not Receipt.objects.filter(customer=cast.bai, number="B").exists()


def test_whoever_shares_it_is_found_once_it_is_taken_off(cast: Cast, hq: Caller, twin: Customer) -> None:
    [hers] = Identifier.objects.filter(customer=cast.ying, kind="phone")
    assert hq.send("DELETE", f"/customers/{cast.ying.pk}/identifiers/{hers.pk}", "").status_code == 200
    assert by_phone("13800000001") == twin
    assert with_phone("13800000001") == [twin.pk]


def test_it_goes_from_all_records_that_are_read_as_hers(cast: Cast, hq: Caller, twin: Customer) -> None:
    merge(twin.pk, cast.ying.pk, now=NOW)
    [hers] = Identifier.objects.filter(customer=cast.ying, kind="phone")
    assert hq.send("DELETE", f"/customers/{cast.ying.pk}/identifiers/{hers.pk}", "").status_code == 200
    assert not Identifier.objects.filter(kind="phone", customer__in=[cast.ying.pk, twin.pk]).exists()


def test_only_what_is_hers_and_no_number_of_a_system_is_taken_off(cast: Cast, hq: Caller, manager: Caller) -> None:
    hq.post(f"/customers/{cast.bai.pk}/identifiers", {"kind": "external", "value": "M-1", "source": "till"})
    number = Identifier.objects.get(kind="external", value="M-1")
    answer = hq.send("DELETE", f"/customers/{cast.bai.pk}/identifiers/{number.pk}", "")
    assert (answer.status_code, answer.json()["code"]) == (409, "number_of_system")
    [veras] = Identifier.objects.filter(customer=cast.vera, kind="phone")
    assert hq.send("DELETE", f"/customers/{cast.bai.pk}/identifiers/{veras.pk}", "").status_code == 404
    [lans] = Identifier.objects.filter(customer=cast.lan, kind="phone")
    assert manager.send("DELETE", f"/customers/{cast.lan.pk}/identifiers/{lans.pk}", "").status_code == 404
    assert Identifier.objects.filter(pk__in=[number.pk, veras.pk, lans.pk]).count() == 3


def test_a_card_taken_off_is_free_for_whoever_has_it(cast: Cast, hq: Caller) -> None:
    body = {"kind": "card", "value": "880012345"}
    made = hq.post(f"/customers/{cast.bai.pk}/identifiers", body).json()
    assert hq.post(f"/customers/{cast.vera.pk}/identifiers", body).status_code == 409
    assert hq.send("DELETE", f"/customers/{cast.bai.pk}/identifiers/{_ids(made)['card']}", "").status_code == 200
    assert hq.post(f"/customers/{cast.vera.pk}/identifiers", body).status_code == 201


def test_two_persons_may_be_asked_about_again(cast: Cast, hq: Caller, manager: Caller, pair: Duplicate) -> None:
    hq.post(f"/duplicates/{pair.pk}/not-same", "")
    for _ in range(2):
        answer = hq.send("DELETE", f"/duplicates/{pair.pk}/not-same", "")
        assert (answer.status_code, answer.json()["state"]) == (200, "proposed")
    assert AuditLine.objects.filter(action="customer.asked_again").count() == 2  # one in the story of each
    find_duplicates(now=NOW)
    assert [one["id"] for one in hq.get("/duplicates").json()["items"]] == [pair.pk]
    hq.post(f"/duplicates/{pair.pk}/merge", {"into_id": cast.ying.pk})
    late = hq.send("DELETE", f"/duplicates/{pair.pk}/not-same", "")
    assert (late.status_code, late.json()["code"]) == (409, "decided_already")
    assert hq.send("DELETE", "/duplicates/999999/not-same", "").status_code == 404


def test_a_foreign_pair_is_not_asked_about(cast: Cast, hq: Caller, manager: Caller) -> None:
    register(name="岚岚", phone="13800000005", home_store=cast.jing_an, share=True, now=NOW)
    find_duplicates(now=NOW)
    foreign = Duplicate.objects.get()
    hq.post(f"/duplicates/{foreign.pk}/not-same", "")
    assert manager.send("DELETE", f"/duplicates/{foreign.pk}/not-same", "").status_code == 404
    foreign.refresh_from_db()
    assert foreign.state == "not_same"
