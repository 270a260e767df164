"""Joining and parting records through the API."""

import pytest

from changke.facts.customers.models import MergeLink
from changke.facts.customers.queries import family_of
from tests.cast import Cast
from tests.interfaces.api.conftest import Caller

pytestmark = pytest.mark.django_db


def test_two_records_are_one_and_two_again(cast: Cast, hq: Caller) -> None:
    made = hq.post(f"/customers/{cast.qiu.pk}/merges", {"merged_id": cast.ying.pk})
    assert made.status_code == 201
    assert (made.json()["merged_id"], made.json()["into_id"]) == (cast.ying.pk, cast.qiu.pk)
    her = hq.get(f"/customers/{cast.ying.pk}").json()
    assert her["id"] == cast.qiu.pk
    assert len([one for one in her["identifiers"] if one["kind"] == "phone"]) == 2
    assert len(hq.get(f"/customers/{cast.ying.pk}/purchases").json()["items"]) == 3
    assert [one["id"] for one in hq.get("/customers?phone=13800000001").json()["items"]] == [cast.qiu.pk]
    assert hq.get(f"/customers/{cast.qiu.pk}/merges").json() == [made.json()]
    parted = hq.send("DELETE", f"/customers/{cast.qiu.pk}/merges/{made.json()['id']}", "")
    assert parted.status_code == 200
    assert hq.get(f"/customers/{cast.ying.pk}").json()["id"] == cast.ying.pk
    assert len(hq.get(f"/customers/{cast.ying.pk}/purchases").json()["items"]) == 1
    again = hq.send("DELETE", f"/customers/{cast.qiu.pk}/merges/{made.json()['id']}", "")
    assert again.status_code == 409


def test_the_same_person_twice_is_refused(cast: Cast, hq: Caller) -> None:
    answer = hq.post(f"/customers/{cast.qiu.pk}/merges", {"merged_id": cast.qiu.pk})
    assert (answer.status_code, answer.json()["code"]) == (409, "same_person")


def test_a_store_neither_joins_nor_parts_a_customer_of_another(cast: Cast, manager: Caller, hq: Caller) -> None:
    for into, merged in ((cast.lan, cast.ying), (cast.ying, cast.lan)):
        assert manager.post(f"/customers/{into.pk}/merges", {"merged_id": merged.pk}).status_code == 404
    assert not MergeLink.objects.exists()
    made = hq.post(f"/customers/{cast.lan.pk}/merges", {"merged_id": cast.ying.pk}).json()
    assert manager.get(f"/customers/{cast.ying.pk}").status_code == 404, "she is read as somebody of another store"
    assert manager.send("DELETE", f"/customers/{cast.ying.pk}/merges/{made['id']}", "").status_code == 404
    assert family_of(cast.ying.pk) == (cast.lan.pk, cast.ying.pk)
    assert manager.post(f"/customers/{cast.qiu.pk}/merges", {"merged_id": cast.vera.pk}).status_code == 201
