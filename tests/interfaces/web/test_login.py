"""The doors through HTTP: sessions, one's own password, and a new one by link."""

import datetime as dt
from ipaddress import ip_network

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from changke.foundation.access.models import Staff
from changke.foundation.access.services import change_staff
from changke.foundation.audit.models import AuditLine
from changke.foundation.login.models import Attempt, ResetLink
from tests.cast import NOW, PASSWORD, Cast
from tests.clock import Clock

pytestmark = pytest.mark.django_db
NEW = "amber-kettle-moss"


def logged_in(person: Staff) -> Client:
    client = Client()
    client.force_login(person)
    return client


def comes_in(username: str, password: str) -> bool:
    return Client().post("/login/", {"username": username, "password": password}).status_code == 302


def test_a_log_in_gets_a_session_of_a_new_number(cast: Cast) -> None:
    client = Client()
    client.post("/language/", {"language": "en"})
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    client.cookies["sessionid"] = before = session.session_key
    client.post("/login/", {"username": "clerk", "password": PASSWORD})
    assert client.cookies["sessionid"].value != before
    other = Client()
    other.cookies["sessionid"] = before
    assert other.get("/me/").status_code == 302


def test_behind_a_proxy_of_ours_each_visitor_is_delayed_on_his_own(cast: Cast, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    for _ in range(3):
        Client().post("/login/", {"username": "owner", "password": "no"}, headers={"X-Forwarded-For": "203.0.113.9"})
    Attempt.objects.update(not_before=timezone.now() + dt.timedelta(minutes=1))
    Attempt.objects.filter(key="login|owner").delete()
    form = {"username": "owner", "password": PASSWORD}
    assert Client().post("/login/", form, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 429
    assert Client().post("/login/", form, headers={"X-Forwarded-For": "198.51.100.1"}).status_code == 302


def test_a_forwarded_address_of_a_stranger_is_not_believed(cast: Cast) -> None:
    for turn in range(3):
        Client().post(
            "/login/", {"username": "owner", "password": "no"}, headers={"X-Forwarded-For": f"203.0.113.{turn}"}
        )
    assert Attempt.objects.get(key="login|owner|127.0.0.1").failures == 3


@pytest.mark.parametrize("forwarded", ["203.0.113.9", "127.0.0.1"])
def test_an_empty_installation_behind_a_proxy_we_do_not_know_cannot_be_founded(forwarded: str) -> None:
    assert Client().get("/setup/", headers={"X-Forwarded-For": forwarded}).status_code == 403


def test_one_changes_the_own_password_and_other_sessions_are_out(cast: Cast) -> None:
    here, elsewhere = logged_in(cast.clerk), logged_in(cast.clerk)
    form = {"present": PASSWORD, "password": NEW, "again": NEW}
    assert here.post("/me/password/", form).status_code == 303
    assert here.get("/me/").status_code == 200
    assert elsewhere.get("/me/").status_code == 302
    assert (comes_in("clerk", NEW), comes_in("clerk", PASSWORD)) == (True, False)
    assert AuditLine.objects.filter(action="staff.password_set", actor_id=cast.clerk.pk).count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"present": "not it"}, "present"),
        ({"again": "amber-kettle-mess"}, "again"),
        ({"password": "short-jade", "again": "short-jade"}, "password"),
        ({"password": "password1234", "again": "password1234"}, "password"),
        ({"password": "clerk-clerk-1", "again": "clerk-clerk-1"}, "password"),
        ({"present": ""}, "present"),
    ],
)
def test_a_password_that_cannot_be_is_refused_beside_its_field(cast: Cast, changes: dict[str, str], field: str) -> None:
    form = {"present": PASSWORD, "password": NEW, "again": NEW} | changes
    answer = logged_in(cast.clerk).post("/me/password/", form)
    assert answer.status_code == 422
    assert answer.context["form"].errors[field]
    assert NEW not in answer.content.decode()
    assert comes_in("clerk", PASSWORD)


def test_guessing_the_present_password_in_a_session_left_open_waits(cast: Cast) -> None:
    client = logged_in(cast.clerk)
    for _ in range(5):
        client.post("/me/password/", {"present": "no", "password": NEW, "again": NEW})
    Attempt.objects.update(not_before=timezone.now() + dt.timedelta(minutes=1))
    answer = client.post("/me/password/", {"present": PASSWORD, "password": NEW, "again": NEW})
    assert answer.context["form"].non_field_errors()
    assert comes_in("clerk", PASSWORD)


def link_for(person: Staff, *, by: Staff) -> str:
    answer = logged_in(by).post(f"/settings/staff/{person.pk}/reset/")
    assert answer.status_code == 200
    assert answer["Cache-Control"].find("no-store") >= 0
    return str(answer.context["url"]).removeprefix("http://testserver")


def test_a_link_sets_a_new_password_once(cast: Cast) -> None:
    session = logged_in(cast.clerk)
    link = link_for(cast.clerk, by=cast.hq)
    stranger = Client()
    assert stranger.get(link).status_code == 200
    assert stranger.get(link).status_code == 200, "looking does not use it up"
    assert stranger.post(link, {"password": NEW, "again": NEW}).url == "/login/"  # type: ignore[attr-defined]
    assert (comes_in("clerk", NEW), comes_in("clerk", PASSWORD)) == (True, False)
    assert session.get("/me/").status_code == 302, "sessions of the old password are out"
    assert stranger.get(link).status_code == 410
    assert stranger.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 410
    about = AuditLine.objects.filter(subject=f"staff:{cast.clerk.pk}", action__startswith="staff.")
    assert [line.action for line in about.order_by("id")] == [
        "staff.added",
        "staff.reset_link_made",
        "staff.password_set",
    ]


def test_a_refused_password_leaves_the_link_as_it_was(cast: Cast) -> None:
    link = link_for(cast.clerk, by=cast.owner)
    assert Client().post(link, {"password": "password1234", "again": "password1234"}).status_code == 422
    assert Client().post(link, {"password": NEW, "again": NEW}).status_code == 302


def test_a_link_lives_thirty_minutes_and_the_newest_is_the_only_one(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (link_for(cast.clerk, by=cast.hq) for _ in range(2))
    assert Client().get(first).status_code == 410
    clock = Clock(monkeypatch, ResetLink.objects.latest("id").made_at)
    clock.passes(minutes=29)
    assert Client().get(second).status_code == 200
    clock.passes(minutes=1)
    assert Client().get(second).status_code == 410


@pytest.mark.parametrize("path", ["/reset/nonsense/", "/reset/%00/", f"/reset/{'x' * 500}/"])
def test_a_made_up_link_opens_nothing(cast: Cast, path: str) -> None:
    assert Client().get(path).status_code in (404, 410)


def test_a_link_of_somebody_who_left_opens_nothing(cast: Cast) -> None:
    link = link_for(cast.clerk, by=cast.hq)
    change_staff(cast.clerk, is_active=False, now=NOW)
    assert Client().get(link).status_code == 410


@pytest.mark.parametrize(("who", "whom", "status"), [
    ("owner", "owner", 200), ("owner", "hq", 200), ("hq", "manager", 200), ("hq", "owner", 403),
    ("manager", "clerk", 403), ("clerk", "clerk", 403),
])  # fmt: skip
def test_who_may_make_a_link_for_whom(cast: Cast, who: str, whom: str, status: int) -> None:
    client = logged_in(getattr(cast, who))
    assert client.post(f"/settings/staff/{getattr(cast, whom).pk}/reset/").status_code == status
    assert client.get(f"/settings/staff/{getattr(cast, whom).pk}/reset/").status_code == 405
