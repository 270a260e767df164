"""Settings through HTTP: who may, what is refused and where it is said, what changes."""

import datetime as dt

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.foundation.access.models import ApiKey, Grant, OwnRole, Staff
from changke.foundation.access.services import key_of
from changke.foundation.audit.models import AuditLine
from changke.foundation.login.services.log_in import log_in
from changke.foundation.organisation.models import Chain, Region, Store
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.services import refresh_customers
from tests.cast import NOW, PASSWORD, TODAY, Cast, ago, at, buys
from tests.clock import Clock

PAGES = ["/settings/", "/settings/stores/", "/settings/stores/new/", "/settings/staff/", "/settings/staff/new/",
         "/settings/keys/", "/settings/preview/?silent_after_days=75&lost_after_days=180"]  # fmt: skip


def signed_in(person: Staff) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("who", "status"), [("owner", 200), ("hq", 200), ("manager", 403), ("clerk", 403)])
def test_settings_belong_to_owner_and_headquarters(cast: Cast, page: str, who: str, status: int) -> None:
    assert signed_in(getattr(cast, who)).get(page).status_code == status


def stages(**changes: object) -> dict[str, object]:
    return {
        "name": "花漾", "silent_after_days": 60, "lost_after_days": 180, "mature_visit_days": 6,
        "activity_kinds": ["visit", "purchase", "use"], **changes,
    }  # fmt: skip


def test_other_days_are_saved_and_everybody_is_computed_again(cast: Cast) -> None:
    response = signed_in(cast.hq).post("/settings/", stages(silent_after_days=75))
    assert response.status_code == 303
    assert Chain.objects.get().silent_after_days == 75
    assert ProcrastinateJob.objects.filter(task_name="refresh_everybody").count() == 1


def test_saving_twice_before_the_work_began_asks_once(cast: Cast) -> None:
    client = signed_in(cast.hq)
    client.post("/settings/", stages(silent_after_days=75))
    assert client.post("/settings/", stages(silent_after_days=80)).status_code == 303
    assert ProcrastinateJob.objects.filter(task_name="refresh_everybody").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"silent_after_days": 180}, "lost_after_days"),
        ({"silent_after_days": 0}, "silent_after_days"),
        ({"silent_after_days": "many"}, "silent_after_days"),
        ({"activity_kinds": []}, "activity_kinds"),
        ({"name": ""}, "name"),
    ],
)
def test_wrong_days_are_refused_beside_their_field_and_nothing_changes(
    cast: Cast, changes: dict[str, object], field: str
) -> None:
    response = signed_in(cast.hq).post("/settings/", stages(mature_visit_days=9, **changes))
    assert response.status_code == 422
    assert response.context["form"].errors[field]
    assert 'value="9"' in response.content.decode()  # what was typed is still there
    assert Chain.objects.get().mature_visit_days == 6


def test_a_store_is_added_once(cast: Cast) -> None:
    client = signed_in(cast.owner)
    form = {"name": "浦东店", "code": "PD", "time_zone": "Asia/Shanghai", "opening_days": ["1", "2"], "is_open": "1",
            "new_region": "华东"}  # fmt: skip
    assert client.post("/settings/stores/new/", form).status_code == 303
    store = Store.objects.get(code="PD")
    assert (store.region.name, store.opening_days) == ("华东", [1, 2])  # type: ignore[union-attr]
    again = client.post("/settings/stores/new/", form)
    assert again.status_code == 422
    assert "PD" in str(again.context["form"].non_field_errors())


@pytest.mark.parametrize(("zone", "jobs"), [("Asia/Shanghai", 0), ("Asia/Urumqi", 1)])
def test_a_store_in_another_zone_has_everybody_computed_again(cast: Cast, zone: str, jobs: int) -> None:
    form = {"name": "静安店", "time_zone": zone, "opening_days": ["1"], "is_open": "1"}
    assert signed_in(cast.owner).post(f"/settings/stores/{cast.jing_an.pk}/", form).status_code == 303
    assert ProcrastinateJob.objects.filter(task_name="refresh_everybody").count() == jobs


def test_a_store_moved_farther_west_still_follows_what_happens_there(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past midnight in Shanghai; the store turns out to stand in Honolulu, where it is the morning before."""
    clock = Clock(monkeypatch, at(TODAY, 0) + dt.timedelta(minutes=30))
    refresh_customers([cast.mo.pk], now=clock.now)
    before = Profile.objects.get(customer=cast.mo)
    form = {"name": "静安店", "time_zone": "Pacific/Honolulu", "opening_days": ["1"], "is_open": "1"}
    assert signed_in(cast.owner).post(f"/settings/stores/{cast.jing_an.pk}/", form).status_code == 303
    buys(cast.mo, cast.facial, 28_800, on=ago(1), store=cast.jing_an, key="mo-is-back")
    refresh_customers([cast.mo.pk], now=clock.now)
    after = Profile.objects.get(customer=cast.mo)
    assert (before.as_of, after.as_of) == (TODAY, ago(1))
    assert after.net_spend == before.net_spend + 28_800  # type: ignore[attr-defined]


def test_somebody_new_can_log_in_at_once(cast: Cast) -> None:
    form = {"name": "小安", "username": "an", "role": "staff", "stores": [cast.xu_hui.pk], "password": "first-pass-1",
            "is_active": "1"}  # fmt: skip
    assert signed_in(cast.hq).post("/settings/staff/new/", form).status_code == 303
    assert log_in(username="an", password="first-pass-1", address="x", now=NOW).stores.get() == cast.xu_hui


@pytest.mark.parametrize(("password", "status"), [("password1", 422), (" with spaces ", 303)])
def test_a_first_password_is_kept_as_typed_and_not_what_everybody_tries(cast: Cast, password: str, status: int) -> None:
    form = {"name": "小安", "username": "an", "role": "staff", "stores": [cast.xu_hui.pk], "password": password,
            "is_active": "1"}  # fmt: skip
    answer = signed_in(cast.owner).post("/settings/staff/new/", form)
    assert answer.status_code == status
    assert Staff.objects.filter(username="an").exists() is (status == 303)
    if status == 303:
        assert log_in(username="an", password=password, address="x", now=NOW).username == "an"


def test_staff_without_a_store_is_refused(cast: Cast) -> None:
    form = {"name": "小安", "username": "an", "role": "staff", "password": "first-pass-1", "is_active": "1"}
    response = signed_in(cast.hq).post("/settings/staff/new/", form)
    assert response.status_code == 422
    assert response.context["form"].errors["stores"]
    assert not Staff.objects.filter(username="an").exists()


def test_headquarters_makes_no_owner_and_changes_none(cast: Cast) -> None:
    client = signed_in(cast.hq)
    new = {"name": "x", "username": "x", "role": "owner", "password": "first-pass-1", "is_active": "1"}
    assert client.post("/settings/staff/new/", new).status_code == 403
    page = f"/settings/staff/{cast.owner.pk}/"
    assert (
        client.post(page, {"name": "x", "role": "hq", "is_active": "1", "password": "stolen-pass"}).status_code == 403
    )
    assert log_in(username="owner", password=PASSWORD, address="x", now=NOW) == cast.owner


def test_the_last_owner_keeps_the_keys(cast: Cast) -> None:
    page = f"/settings/staff/{cast.owner.pk}/"
    response = signed_in(cast.owner).post(page, {"name": "林老板", "role": "hq", "is_active": "1"})
    assert response.status_code == 422
    assert Staff.objects.get(pk=cast.owner.pk).role == "owner"


def test_a_key_is_shown_once_and_opens_until_it_is_revoked(cast: Cast) -> None:
    client = signed_in(cast.hq)
    page = client.post("/settings/keys/", {"name": "收银", "role": "manager", "stores": [cast.jing_an.pk]})
    secret = page.context["secret"]
    assert secret in page.content.decode()
    assert secret not in client.get("/settings/keys/").content.decode()
    key = ApiKey.objects.get()
    assert key_of(secret, now=NOW) == key
    client.post(f"/settings/keys/{key.pk}/revoke/")
    key.refresh_from_db()
    assert key.revoked_at is not None


@pytest.mark.django_db
def test_an_empty_installation_is_founded_on_its_first_page_and_never_again() -> None:
    form = {"chain": "花漾", "currency": "CNY", "time_zone": "Asia/Shanghai", "store": "静安店", "name": "林",
            "username": "lin", "password": "first-pass-1"}  # fmt: skip
    client = Client()
    assert client.get("/setup/").status_code == 200
    assert client.post("/setup/", form).status_code == 302
    assert Staff.objects.get().role == "owner"
    assert Client().post("/setup/", {**form, "username": "eve"}).url == "/login/"  # type: ignore[attr-defined]
    assert Staff.objects.count() == 1


@pytest.mark.django_db
def test_the_door_of_an_empty_installation_leads_to_its_first_page() -> None:
    assert Client().get("/login/").url == "/setup/"  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_a_stranger_on_the_network_cannot_found_the_chain() -> None:
    for method in (Client().get, Client().post):
        assert method("/setup/", REMOTE_ADDR="192.168.1.23").status_code == 403
    assert not Staff.objects.exists()


def test_headquarters_move_a_region_and_the_trail_says_so(cast: Cast) -> None:
    client = signed_in(cast.hq)
    assert client.post("/settings/regions/new/", {"name": "华东"}).status_code == 303
    east, shanghai = Region.objects.get(name="华东"), Region.objects.get(name="上海")
    answer = client.post(f"/settings/regions/{shanghai.pk}/", {"name": "上海", "parent": east.pk})
    assert answer.status_code == 303
    cast.jing_an.refresh_from_db()
    assert cast.jing_an.path == f"/{east.pk}/{shanghai.pk}/"
    line = AuditLine.objects.get(action="region.changed")
    assert (line.before, line.after) == ({"parent": None}, {"parent": east.pk})
    assert "静安店" in client.get("/settings/stores/").content.decode()


def test_a_region_cannot_hang_below_itself_and_leaves_only_empty(cast: Cast) -> None:
    client, shanghai = signed_in(cast.hq), Region.objects.get(name="上海")
    refused = client.post(f"/settings/regions/{shanghai.pk}/", {"name": "上海", "parent": shanghai.pk})
    assert refused.status_code == 422
    assert client.post(f"/settings/regions/{shanghai.pk}/remove/").status_code == 409
    assert Region.objects.filter(name="上海").exists()
    assert not AuditLine.objects.filter(action="region.removed").exists()


def test_an_owner_makes_a_role_and_grants_it_for_a_time(cast: Cast) -> None:
    client = signed_in(cast.owner)
    assert client.get("/settings/roles/").status_code == 200
    made = client.post("/settings/roles/new/", {"name": "盘点", "capabilities": ["customer.view"]})
    assert made.status_code == 303
    role, page = OwnRole.objects.get(), f"/settings/staff/{cast.clerk.pk}/roles/"
    given = {"role": f"own:{role.pk}", "node": f"store:{cast.xu_hui.pk}", "since": "2099-01-01", "until": "2099-01-03"}
    assert client.post(page, given).status_code == 303
    grant = Grant.objects.get(standing=False)
    assert grant.until - grant.since == dt.timedelta(days=3)  # type: ignore[operator]  # the last day whole
    assert "盘点" in client.get(page).content.decode()
    assert client.post(f"/settings/grants/{grant.pk}/end/").status_code == 303
    assert not Grant.objects.filter(standing=False).exists()
    assert client.get(f"/settings/roles/{role.pk}/").status_code == 200
    assert client.post(f"/settings/roles/{role.pk}/remove/").status_code == 303


@pytest.mark.parametrize(
    "wrong",
    [{"role": "queen"}, {"role": "own:7"}, {"node": "store:0"}, {"node": "moon:1"}, {"until": "2020-01-01"}],
)
def test_a_wrong_grant_stays_in_the_form(cast: Cast, wrong: dict[str, str]) -> None:
    page = f"/settings/staff/{cast.clerk.pk}/roles/"
    assert signed_in(cast.owner).post(page, {"role": "staff"} | wrong).status_code == 422
    assert not Grant.objects.filter(standing=False).exists()


def test_a_role_without_anything_in_it_is_refused(cast: Cast) -> None:
    assert signed_in(cast.owner).post("/settings/roles/new/", {"name": "x"}).status_code == 422
