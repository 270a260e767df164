"""The chain, its regions, stores and people, its devices: changed by machines as on the page."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.foundation.access.models import Staff
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.rules import HOUSE
from changke.foundation.login.models import Device
from changke.foundation.login.services.devices import bind
from changke.foundation.organisation.models import Chain, Region, Store
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller

pytestmark = pytest.mark.django_db


def refreshes() -> int:
    return ProcrastinateJob.objects.filter(task_name="refresh_everybody", status="todo").count()


def test_settings_of_the_chain_are_read_tried_and_changed(hq: Caller, cast: Cast) -> None:
    before = hq.get("/chain").json()
    assert (before["currency"], before["silent_after_days"], before["lost_after_days"]) == ("CNY", 60, 180)
    tried = hq.get("/chain/preview", silent_after_days=30, lost_after_days=90).json()
    assert set(tried["now"]) == {"silent", "lost"}
    assert hq.get("/chain").json() == before
    assert hq.patch("/chain", {"name": "新花漾"}).json()["name"] == "新花漾"
    assert refreshes() == 0
    changed = hq.patch("/chain", {"silent_after_days": 45, "activity_kinds": ["visit"]}).json()
    assert (changed["silent_after_days"], changed["lost_after_days"], changed["activity_kinds"]) == (45, 180, ["visit"])
    assert refreshes() == 1
    assert AuditLine.objects.filter(action="chain.changed", actor_kind="key").count() == 2


@pytest.mark.parametrize(
    "body",
    [{}, {"name": None}, {"silent_after_days": 200}, {"activity_kinds": []}, {"currency": "USD"}, {"gap_weight": "x"}],
)
def test_a_setting_that_cannot_be_changes_nothing(hq: Caller, cast: Cast, body: dict[str, Any]) -> None:
    before = hq.get("/chain").json()
    assert hq.patch("/chain", body).status_code == 422
    assert hq.get("/chain").json() == before
    assert Chain.objects.get().silent_after_days == 60


def test_regions_hang_from_each_other(hq: Caller, cast: Cast) -> None:
    east = hq.post("/regions", {"name": "华东二"}).json()
    town = hq.post("/regions", {"name": "上海二", "parent": east["id"]}).json()
    assert town["parent"] == east["id"]
    assert hq.post("/regions", {"name": "上海二", "parent": east["id"]}).json() == town, "the same is the same"
    ring = hq.send("PUT", f"/regions/{east['id']}", {"name": "华东二", "parent": town["id"]})
    assert (ring.status_code, ring.json()["field"]) == (422, "parent")
    assert hq.send("DELETE", f"/regions/{east['id']}", "").json()["code"] == "region_not_empty"
    assert hq.send("PUT", f"/regions/{town['id']}", {"name": "杭州二"}).json()["parent"] is None
    assert hq.send("DELETE", f"/regions/{town['id']}", "").status_code == 204
    assert hq.send("DELETE", f"/regions/{town['id']}", "").status_code == 404
    assert hq.post("/regions", {"name": "x", "parent": 1_000_000}).status_code == 422
    assert [one["name"] for one in hq.get("/regions").json()].count("华东二") == 1


def test_a_store_is_added_and_changed(hq: Caller, cast: Cast) -> None:
    region = hq.post("/regions", {"name": "浦东区"}).json()["id"]
    made = hq.post("/stores", {"code": "PD/1", "name": "浦东店", "region": region, "opening_days": [7, 6, 6]})
    assert made.status_code == 201, made.content
    assert (made.json()["region_id"], made.json()["opening_days"]) == (region, [6, 7])
    assert made.json()["time_zone"] == cast.chain.time_zone
    assert hq.post("/stores", {"code": "PD/1", "name": "x"}).json()["code"] == "store_code_taken"
    changed = hq.patch("/stores/PD/1", {"name": "新浦东店", "region": None, "is_open": False}).json()
    assert (changed["name"], changed["region"], changed["is_open"]) == ("新浦东店", "", False)
    assert refreshes() == 0
    assert hq.patch("/stores/PD/1", {"time_zone": "Asia/Urumqi"}).json()["time_zone"] == "Asia/Urumqi"
    assert refreshes() == 1
    assert AuditLine.objects.filter(action="store.changed", actor_kind="key").count() == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"name": None}, "name"),
        ({"region": 1_000_000}, "region"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"opening_days": [8]}, "opening_days[0]"),
        ({"code": "X"}, "code"),
    ],
)
def test_a_store_that_cannot_be_so_stays(hq: Caller, cast: Cast, body: dict[str, Any], field: str) -> None:
    answer = hq.patch("/stores/JA", body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert hq.patch("/stores/nowhere", {"name": "x"}).status_code == 404
    assert Store.objects.get(code="JA").name == cast.jing_an.name


ANNA = {"username": "anna", "name": "安娜", "role": "staff", "stores": ["JA"], "password": "corgi-lamp-7781-river"}


def test_somebody_is_added_changed_and_let_go(hq: Caller, cast: Cast) -> None:
    made = hq.post("/staff", ANNA)
    assert made.status_code == 201, made.content
    number = made.json()["id"]
    assert (made.json()["stores"], made.json()["sees"], made.json()["is_active"]) == (["JA"], "home", True)
    assert "corgi" not in made.content.decode()
    assert Client().login(username="anna", password=ANNA["password"])
    assert hq.post("/staff", ANNA).json()["code"] == "username_taken"
    changed = hq.patch(f"/staff/{number}", {"role": "manager", "stores": ["JA", "XH"], "sees": "visited"}).json()
    assert (changed["role"], changed["stores"], changed["sees"]) == ("manager", ["JA", "XH"], "visited")
    assert hq.patch(f"/staff/{number}", {"is_active": False}).json()["is_active"] is False
    assert hq.get(f"/staff/{number}").json()["username"] == "anna"
    assert number not in [one["id"] for one in hq.get("/staff", limit=200).json()["items"]]
    assert AuditLine.objects.filter(subject=f"staff:{number}", actor_kind="key").count() == 3


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"role": "owner"}, 403),
        ({"role": "queen"}, 422),
        ({"stores": []}, 422),
        ({"stores": ["nowhere"]}, 404),
        ({"password": "1234"}, 422),
    ],
)
def test_nobody_is_added_who_cannot_be(hq: Caller, cast: Cast, changes: dict[str, Any], status: int) -> None:
    assert hq.post("/staff", ANNA | changes).status_code == status
    assert not Staff.objects.filter(username="anna").exists()


def test_who_may_more_is_not_changed_and_the_last_owner_stays(
    hq: Caller, key_of: Callable[[str], Caller], cast: Cast
) -> None:
    assert hq.patch(f"/staff/{cast.owner.pk}", {"name": "x"}).status_code == 403
    assert hq.patch(f"/staff/{cast.clerk.pk}", {"role": "owner"}).status_code == 403
    last = key_of("owner").patch(f"/staff/{cast.owner.pk}", {"is_active": False})
    assert (last.status_code, last.json()["code"]) == (409, "last_owner")
    assert hq.patch(f"/staff/{cast.clerk.pk}", {"stores": []}).status_code == 422
    assert hq.patch(f"/staff/{cast.clerk.pk}", {}).status_code == 422
    assert hq.patch("/staff/1000000", {"name": "x"}).status_code == 404


def test_a_store_changes_neither_chain_nor_people(key_of: Callable[[str], Caller], cast: Cast) -> None:
    for role in ("manager", "staff", "analyst"):
        caller = key_of(role)
        asked = [caller.get(path) for path in ("/chain", "/regions", f"/staff/{cast.clerk.pk}")]
        asked += [caller.get("/chain/preview", silent_after_days=1, lost_after_days=2)]
        asked += [caller.patch("/chain", {"name": "x"}), caller.patch("/stores/JA", {"name": "x"})]
        asked += [caller.post("/stores", {"code": "x", "name": "x"}), caller.post("/regions", {"name": "x"})]
        asked += [caller.post("/staff", ANNA), caller.patch(f"/staff/{cast.clerk.pk}", {"name": "x"})]
        assert {one.status_code for one in asked} == {403}, role
    assert not Region.objects.filter(name="x").exists()


def test_a_device_is_taken_back_from_anywhere_in_ones_stores(hq: Caller, manager: Caller, cast: Cast) -> None:
    for store, name in ((cast.jing_an, "收银台"), (cast.xu_hui, "平板")):
        bind(store, name=name, person=cast.owner, by=HOUSE, now=NOW)
    assert {(one["name"], one["store"]) for one in hq.get("/devices").json()} == {("收银台", "JA"), ("平板", "XH")}
    assert [one["name"] for one in manager.get("/devices").json()] == ["收银台"]
    own, foreign = Device.objects.get(store=cast.jing_an), Device.objects.get(store=cast.xu_hui)
    assert manager.send("DELETE", f"/devices/{foreign.pk}", "").status_code == 404
    assert manager.send("DELETE", f"/devices/{own.pk}", "").status_code == 204
    assert manager.get("/devices").json() == []
    own.refresh_from_db()
    assert not own.is_valid(dt.datetime.now(dt.UTC))
    assert AuditLine.objects.filter(action="device.revoked", actor_kind="key").count() == 1
