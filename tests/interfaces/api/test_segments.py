"""Segments through the API: saved, counted, compared; seen through the stores of whoever asks."""

from collections.abc import Callable

import pytest

from changke.facts.fields.services import define
from tests.cast import NOW, Cast, profile_everybody
from tests.interfaces.api.conftest import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(cast: Cast) -> Cast:
    profile_everybody()
    return cast


def test_a_segment_is_saved_counted_changed_and_dropped(known: Cast, hq: Caller) -> None:
    made = hq.post("/segments", {"name": "Bought", "text": "purchases>=1"})
    assert (made.status_code, made.json()["key"], made.json()["text"]) == (201, "bought", "purchases >= 1")
    told = hq.get("/segments/bought").json()
    counted = hq.post("/segments/count", {"text": "segment has bought"}).json()
    members = hq.get("/segments/bought/members").json()["items"]
    assert 0 < told["customers"] == counted["customers"] == len(members) < counted["total"]
    assert set(counted["sample"]) <= {one["customer_id"] for one in members}
    assert hq.send("PATCH", "/segments/bought", {"text": "purchases >= 99"}).json()["text"] == "purchases >= 99"
    assert hq.get("/segments/bought/members").json()["items"] == []
    assert len(hq.get("/segments/bought/members?left=true").json()["items"]) == len(members)
    assert hq.send("DELETE", "/segments/bought", "").status_code == 204
    assert hq.get("/segments").json() == []


def test_two_segments_overlap_and_one_is_drawn_beside_everybody(known: Cast, hq: Caller) -> None:
    hq.post("/segments", {"name": "Bought", "text": "purchases >= 1"})
    hq.post("/segments", {"name": "Then", "text": "purchases >= 2", "freeze": True})
    told = hq.get("/segments/bought/overlap/then").json()
    assert told["both"] == told["other"] <= told["one"] == told["either"]
    drawn = hq.get("/segments/bought/portrait").json()
    assert drawn["segment"]["customers"] == told["one"] < drawn["everybody"]["customers"]


def test_who_came_and_who_went_is_told_in_the_order_of_time_and_of_each(known: Cast, hq: Caller) -> None:
    made = hq.post("/segments", {"name": "Bought", "text": "purchases >= 1"}).json()
    came = hq.get("/segments/bought/moves").json()["items"]
    assert came, "her first entry is one"
    assert {(one["left"], one["why"], one["version"]) for one in came} == {(False, "publish", 1)}
    hq.send("PATCH", "/segments/bought", {"text": "purchases >= 99"})
    told = hq.get("/segments/bought/moves").json()
    assert (len(told["items"]), told["next"]) == (2 * len(came), None)
    assert [one["left"] for one in told["items"]] == [False] * len(came) + [True] * len(came)
    then = hq.get("/segments/bought/members", at=made["tracked_since"]).json()["items"]
    assert {one["customer_id"] for one in then} == {one["customer_id"] for one in came}
    assert hq.get("/segments/bought/members").json()["items"] == []
    assert (
        hq.get("/segments/bought/moves", since=told["items"][-1]["moment"]).json()["items"]
        == told["items"][len(came) :]
    )
    hq.send("DELETE", "/segments/bought", "")
    (stay,) = hq.get(f"/customers/{came[0]['customer_id']}/segments").json()["items"]
    assert (stay["segment"], stay["left_why"], stay["left_version"], stay["is_dropped"]) == (
        "bought",
        "publish",
        2,
        True,
    )


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("members?at=2020-01-01T00:00:00Z", 409, "segment_not_followed"),
        ("members?at=2026-01-01T00:00:00", 422, "zone"),
        ("moves?since=2026-01-01T00:00:00", 422, "zone"),
        ("moves?cursor=x", 422, "cursor"),
        ("moves?cursor=WyIyMDI2LTAxLTAxIiwgMSwgMF0=", 422, "cursor"),  # a moment without a zone
    ],
)
def test_a_moment_says_its_zone_and_is_one_of_which_something_is_known(
    known: Cast, hq: Caller, asked: str, status: int, said: str
) -> None:
    hq.post("/segments", {"name": "Bought", "text": "purchases >= 1"})
    answer = hq.get(f"/segments/bought/{asked}")
    assert (answer.status_code, said in answer.content.decode()) == (status, True), answer.content


def test_what_a_role_may_not_ask_it_may_not_learn_from_who_is_in_it(
    known: Cast, hq: Caller, key_of: Callable[[str], Caller]
) -> None:
    define(key="income", kind="number", labels={"en": "Income"}, roles=["hq", "owner"], now=NOW)
    hq.post("/segments", {"name": "Rich", "text": "custom.income > 1 or purchases >= 0"})
    mine = known.mo.pk
    for asked in ("/segments/rich/members", "/segments/rich/moves"):
        assert (hq.get(asked).status_code, key_of("manager").get(asked).status_code) == (200, 409)
    assert [one["segment"] for one in hq.get(f"/customers/{mine}/segments").json()["items"]] == ["rich"]
    assert key_of("manager").get(f"/customers/{mine}/segments").json()["items"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/segments", {"name": "Wrong", "text": "purchasess > 1"}, 422),
        ("POST", "/segments", {"name": "Bought", "text": "visits > 1"}, 409),
        ("POST", "/segments", {"name": "Key", "text": "visits > 1", "key": "No Key"}, 422),
        ("POST", "/segments/count", {"text": "purchases >"}, 422),
        ("PATCH", "/segments/bought", {}, 422),
        ("PATCH", "/segments/bought", {"text": "segment has bought"}, 422),
        ("PATCH", "/segments/nobody", {"name": "x"}, 404),
        ("GET", "/segments/bought/overlap/nobody", "", 404),
        ("DELETE", "/segments/nobody", "", 404),
    ],
)
def test_what_cannot_be_is_refused(known: Cast, hq: Caller, method: str, path: str, body: object, status: int) -> None:
    hq.post("/segments", {"name": "Bought", "text": "purchases >= 1"})
    answer = hq.send(method, path, body)
    assert answer.status_code == status, answer.content


def test_a_store_counts_its_own_and_saves_nothing(known: Cast, hq: Caller, key_of: Callable[[str], Caller]) -> None:
    hq.post("/segments", {"name": "All", "text": "purchases >= 0"})
    manager = key_of("manager")
    everybody, mine = hq.get("/segments/all").json()["customers"], manager.get("/segments/all").json()["customers"]
    assert 0 < mine < everybody
    assert len(manager.get("/segments/all/members").json()["items"]) == mine
    assert len(manager.get("/segments/all/moves").json()["items"]) == mine
    assert manager.get("/segments/all/portrait").json()["everybody"]["customers"] == mine
    for method, path in (("POST", "/segments"), ("PATCH", "/segments/all"), ("DELETE", "/segments/all")):
        assert manager.send(method, path, {"name": "M", "text": "visits > 1"}).status_code == 403
