"""A phone or tablet of the store: bound, shared by PIN, locked after a break, taken back."""

import datetime as dt

import pytest
from django.test import Client

from changke.foundation.access.services import change_staff
from changke.foundation.audit.models import AuditLine
from changke.foundation.login.models import Attempt, Device, Pin, SignIn
from changke.foundation.login.rules import is_easy_pin
from changke.foundation.login.services.pins import MOST_WRONG
from tests.cast import NOW, PASSWORD, Cast
from tests.clock import Clock

pytestmark = pytest.mark.django_db
PIN = "730418"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, NOW)


def by_password(client: Client, username: str) -> str:
    answer = client.post("/login/?password=1", {"username": username, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return str(answer.url)  # type: ignore[attr-defined]


def make_pin(client: Client, pin: str = PIN) -> None:
    assert client.post("/me/pin/", {"present": PASSWORD, "pin": pin, "again": pin}).status_code == 303


@pytest.fixture
def tablet(cast: Cast, clock: Clock) -> Client:
    """Bound to 静安 by its manager, who and whose clerk have a PIN; nobody is logged in on it."""
    client = Client()
    by_password(client, "manager")
    assert client.post("/devices/", {"store": cast.jing_an.pk, "name": "前台平板"}).status_code == 303
    make_pin(client, "519264")
    client.post("/device/lock/")
    by_password(client, "clerk")
    make_pin(client)
    client.post("/device/lock/")
    return client


def tap(client: Client, who: int, pin: str, next_page: str = "/") -> int:
    return client.post("/device/", {"who": who, "pin": pin, "next": next_page}).status_code


# Binding


def test_a_manager_binds_what_she_holds_to_her_own_store_only(cast: Cast, clock: Clock) -> None:
    client = Client()
    by_password(client, "manager")
    assert client.post("/devices/", {"store": cast.xu_hui.pk, "name": "x"}).status_code == 422
    assert client.post("/devices/", {"store": cast.jing_an.pk, "name": ""}).status_code == 422
    assert not Device.objects.exists()
    assert client.post("/devices/", {"store": cast.jing_an.pk, "name": "平板"}).status_code == 303
    device = Device.objects.get()
    assert device.expires_at == NOW + dt.timedelta(days=30)
    cookie = client.cookies["device"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert cookie.value.split(":")[0] not in device.digest
    assert AuditLine.objects.filter(action="device.bound").count() == 1


@pytest.mark.parametrize(("who", "status"), [("owner", 200), ("hq", 200), ("manager", 200), ("clerk", 403)])
def test_who_may_bind(cast: Cast, who: str, status: int) -> None:
    client = Client()
    by_password(client, who)
    assert client.get("/devices/").status_code == status
    assert client.post("/devices/", {"name": "x"}).status_code == (422 if status == 200 else 403)


def test_without_a_bound_device_there_are_no_names(cast: Cast) -> None:
    client = Client()
    for cookie in ("", "1.guess", "nonsense"):
        client.cookies["device"] = cookie
        assert client.get("/device/")["Location"] == "/login/"
        assert client.post("/device/", {"who": cast.clerk.pk, "pin": PIN})["Location"] == "/login/"


# Coming in


def test_the_device_shows_its_people_and_changes_them_by_pin(tablet: Client, cast: Cast) -> None:
    assert tablet.get("/login/")["Location"].startswith("/device/")
    page = tablet.get("/device/").content.decode()
    assert "苏晴" in page
    assert "王店长" in page
    assert "林老板" not in page, "who needs more than a PIN is not among them"
    assert tap(tablet, cast.clerk.pk, PIN) == 302
    assert "苏晴" in tablet.get("/me/").content.decode()
    before = tablet.cookies["sessionid"].value
    tablet.post("/device/lock/")
    assert tablet.get("/me/").status_code == 302
    assert tap(tablet, cast.manager.pk, "519264", "/customers/") == 302
    assert tablet.get("/me/").context["user"] == cast.manager
    assert tablet.cookies["sessionid"].value != before


@pytest.mark.parametrize("pin", ["730419", "", "73041", "7304181", "abcdef", "519264"])
def test_another_pin_opens_nothing(tablet: Client, cast: Cast, pin: str) -> None:
    assert tap(tablet, cast.clerk.pk, pin) in (200, 401)
    assert tablet.get("/me/").status_code == 302


def test_a_pin_is_worth_nothing_elsewhere(tablet: Client, cast: Cast) -> None:
    elsewhere = Client()
    assert elsewhere.post("/device/", {"who": cast.clerk.pk, "pin": PIN})["Location"] == "/login/"
    assert elsewhere.post("/login/", {"username": "clerk", "password": PIN}).status_code == 401


def test_somebody_of_another_store_is_not_there(tablet: Client, cast: Cast) -> None:
    change_staff(cast.clerk, stores=[cast.xu_hui], now=NOW)
    assert tap(tablet, cast.clerk.pk, PIN) == 200
    assert tablet.get("/me/").status_code == 302


def test_who_left_and_who_became_headquarters_come_in_by_pin_no_more(tablet: Client, cast: Cast) -> None:
    change_staff(cast.clerk, is_active=False, now=NOW)
    assert tap(tablet, cast.clerk.pk, PIN) == 200
    cast.chain.second_factor_required = True
    cast.chain.save()
    change_staff(cast.manager, role="hq", now=NOW)
    assert tap(tablet, cast.manager.pk, "519264") == 200
    assert tablet.get("/me/").status_code == 302


def test_wrong_pins_wait_and_ten_of_them_ask_for_the_password(tablet: Client, cast: Cast, clock: Clock) -> None:
    for _ in range(3):
        assert tap(tablet, cast.clerk.pk, "000001") == 401
    assert tap(tablet, cast.clerk.pk, PIN) == 429
    for _ in range(MOST_WRONG - 3):
        clock.passes(minutes=6)
        assert tap(tablet, cast.clerk.pk, "000001") == 401
    clock.passes(minutes=6)
    refused = tablet.post("/device/", {"who": cast.clerk.pk, "pin": PIN})
    assert (refused.status_code, "用密码登录" in refused.content.decode()) == (401, True)
    assert tap(tablet, cast.manager.pk, "519264") == 302, "others are not concerned"
    tablet.post("/device/lock/")
    by_password(tablet, "clerk")
    tablet.post("/device/lock/")
    assert tap(tablet, cast.clerk.pk, PIN) == 302
    assert not Attempt.objects.filter(key=f"pin|{cast.clerk.pk}").exists()


# Breaks


def test_after_fifteen_idle_minutes_the_pin_is_asked_and_the_page_comes_back(
    tablet: Client, cast: Cast, clock: Clock
) -> None:
    tap(tablet, cast.clerk.pk, PIN)
    clock.passes(minutes=15)
    assert tablet.get("/customers/").status_code == 200
    clock.passes(minutes=15, seconds=1)
    answer = tablet.get("/customers/")
    assert answer["Location"] == "/device/?next=%2Fcustomers%2F"
    assert tap(tablet, cast.clerk.pk, PIN, "/customers/") == 302
    clock.passes(minutes=16)
    fragment = tablet.get("/customers/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/device/?next=%2Fcustomers%2F")
    assert tablet.get("/api/v1/customers").status_code == 401


def test_a_browser_that_is_not_bound_has_no_such_break(cast: Cast, clock: Clock) -> None:
    client = Client()
    by_password(client, "clerk")
    clock.passes(minutes=16)
    assert client.get("/me/").status_code == 200


def test_staff_stay_in_for_thirty_days_of_pins_and_then_it_is_bound_again(
    tablet: Client, cast: Cast, clock: Clock
) -> None:
    clock.passes(days=29, hours=23)
    assert tap(tablet, cast.clerk.pk, PIN) == 302
    clock.passes(hours=1)
    assert tablet.get("/me/").status_code == 302
    assert tablet.get("/device/")["Location"] == "/login/"


# Lost


def test_a_lost_device_is_out_with_one_tap(tablet: Client, cast: Cast) -> None:
    tap(tablet, cast.clerk.pk, PIN)
    boss = Client()
    by_password(boss, "manager")
    device = Device.objects.get()
    assert boss.post(f"/devices/{device.pk}/revoke/").status_code == 303
    assert tablet.get("/me/").status_code == 302
    assert tap(tablet, cast.clerk.pk, PIN) == 302
    assert tablet.get("/me/").status_code == 302
    assert SignIn.objects.filter(device=device, ended_at=None).count() == 0
    assert AuditLine.objects.filter(action="device.revoked").count() == 1


def test_a_device_of_another_store_does_not_exist(tablet: Client, cast: Cast) -> None:
    Device.objects.update(store=cast.xu_hui)
    boss = Client()
    by_password(boss, "manager")
    assert boss.post(f"/devices/{Device.objects.get().pk}/revoke/").status_code == 404
    assert boss.get("/devices/").context["rows"] == []


# PINs


@pytest.mark.parametrize(
    ("pin", "easy"),
    [
        ("000000", True), ("123456", True), ("654321", True), ("890123", True), ("121212", True), ("123123", True),
        ("123321", True), ("112233", True), ("111112", True), ("520131", True), ("730418", False), ("519264", False),
    ],
)  # fmt: skip
def test_what_anybody_tries_first_is_no_pin(pin: str, easy: bool) -> None:
    assert is_easy_pin(pin) is easy


@pytest.mark.parametrize(("changes", "field"), [
    ({"present": "not it"}, "present"), ({"again": "730419"}, "again"), ({"pin": "123456", "again": "123456"}, "pin"),
    ({"pin": "12345", "again": "12345"}, "pin"), ({"pin": "７３０４１８", "again": "７３０４１８"}, "pin"),
])  # fmt: skip
def test_a_pin_that_cannot_be_is_refused_beside_its_field(cast: Cast, changes: dict[str, str], field: str) -> None:
    client = Client()
    by_password(client, "clerk")
    answer = client.post("/me/pin/", {"present": PASSWORD, "pin": PIN, "again": PIN} | changes)
    assert answer.status_code == 422
    assert answer.context["form"].errors[field]
    assert not Pin.objects.exists()


def test_a_pin_is_hashed_like_a_password(tablet: Client) -> None:
    assert not Pin.objects.filter(pin__contains=PIN).exists()


def test_on_a_device_who_has_no_pin_makes_one_after_the_password(cast: Cast, clock: Clock) -> None:
    client = Client()
    by_password(client, "manager")
    client.post("/devices/", {"store": cast.jing_an.pk, "name": "平板"})
    client.post("/device/lock/")
    assert by_password(client, "clerk") == "/me/pin/?next=%2F"
